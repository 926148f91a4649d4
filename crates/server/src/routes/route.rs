//! The declaration of a route. The router, own paths, CORS, allowed methods and the form of rejections are derived from it.

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, any};

use crate::http::answer_form::Form;
use crate::http::cors::Cors;
use crate::state::AppState;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Programs, our own pages and the address bar; front ends of configured origins where [`Cors`] opens the route. Pages
    /// of other sites may send safe requests (GET) only.
    Everyone,
    /// The same, if the caller authenticates as an administrator.
    Administrators,
}

/// A route and its handlers.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) pattern: &'static str,
    pub(crate) handlers: MethodRouter<AppState>,
    pub(crate) about: About,
}

/// The part of a route that the border needs.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) audience: Audience,
    pub(crate) cors: Cors,
    /// The methods, each with the form of its rejections.
    methods: Vec<(Method, Form)>,
    /// The form for all other methods, if the route accepts them.
    others: Option<Form>,
    /// The form of rejections for methods that the route does not accept.
    form: Form,
    get_has_effects: bool,
    is_handled: bool,
}

impl Route {
    /// A route without methods.
    pub(crate) fn at(pattern: &'static str) -> Self {
        let (audience, cors, form) = (Audience::Everyone, Cors::Closed, Form::Page);
        let (methods, others) = (Vec::new(), None);
        let (get_has_effects, is_handled) = (false, false);
        let about = About { audience, cors, methods, others, form, get_has_effects, is_handled };
        Self { pattern, handlers: MethodRouter::new(), about }
    }

    /// An own path without a handler: it is reserved for future use, or the fallback handles it. A slash at its end includes
    /// all paths below it.
    pub(crate) fn reserved(pattern: &'static str, form: Form) -> Self {
        let mut route = Self::at(pattern);
        (route.about.form, route.about.others) = (form, Some(form));
        route
    }

    /// Adds GET and HEAD.
    pub(crate) fn get<H: Handler<T, AppState>, T: 'static>(self, form: Form, handler: H) -> Self {
        self.method(Method::GET, MethodFilter::GET, form, handler)
    }

    /// Adds GET of a handler that issues or stores something, such as a state. HEAD does not call it: link checkers, previews
    /// and monitors send HEAD, and nothing may come of it (RFC 9110, 9.2.1).
    pub(crate) fn get_with_effects<H: Handler<T, AppState>, T: 'static>(
        mut self,
        form: Form,
        handler: H,
    ) -> Self {
        self.about.get_has_effects = true;
        self.get(form, handler)
    }

    pub(crate) fn post<H: Handler<T, AppState>, T: 'static>(self, form: Form, handler: H) -> Self {
        self.method(Method::POST, MethodFilter::POST, form, handler)
    }

    /// Adds all other methods; the handler refuses those that it does not accept, HEAD too if its GET has effects.
    pub(crate) fn others<H: Handler<T, AppState>, T: 'static>(mut self, form: Form, handler: H) -> Self {
        // `any` adds no header Allow to the answers, other than `fallback`.
        self.handlers = self.handlers.merge(any(handler));
        self.about.others = Some(form);
        self.about.is_handled = true;
        self
    }

    fn method<H: Handler<T, AppState>, T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        form: Form,
        handler: H,
    ) -> Self {
        self.handlers = self.handlers.on(filter, handler);
        if self.about.methods.is_empty() {
            self.about.form = form;
        }
        self.about.methods.push((method, form));
        self.about.is_handled = true;
        self
    }

    /// Opens the route to front ends of configured origins.
    pub(crate) fn shared(mut self, cors: Cors) -> Self {
        self.about.cors = cors;
        self
    }

    /// Restricts the route to administrators.
    pub(crate) fn administrators(mut self) -> Self {
        self.about.audience = Audience::Administrators;
        self
    }
}

impl About {
    /// True if the route has handlers.
    pub(crate) fn is_handled(&self) -> bool {
        self.is_handled
    }

    /// True for a route whose paths may also be redirect addresses, which use GET.
    pub(crate) fn is_shared_with_redirects(&self) -> bool {
        self.is_handled && self.others.is_some()
    }

    /// True if HEAD is answered without the handler of GET.
    pub(crate) fn get_has_effects(&self) -> bool {
        self.get_has_effects
    }

    /// The declared methods.
    pub(crate) fn methods(&self) -> Vec<Method> {
        self.methods.iter().map(|(method, _)| method.clone()).collect()
    }

    /// True if the route accepts the method of the request.
    pub(crate) fn takes(&self, request: &Request) -> bool {
        self.others.is_some() || self.form_of_named(request.method()).is_some()
    }

    /// The form of rejections for a method.
    pub(crate) fn form_of(&self, method: &Method) -> Form {
        self.form_of_named(method).or(self.others).unwrap_or(self.form)
    }

    fn form_of_named(&self, method: &Method) -> Option<Form> {
        // HEAD is answered like GET, without the body (RFC 9110, 9.3.2).
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.methods.iter().find(|(named, _)| named == method).map(|(_, form)| *form)
    }
}
