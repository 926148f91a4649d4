//! What is declared of a route. Everything that depends on routes is derived from it: the router, own paths, CORS, methods,
//! the form of rejections.

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter};

use crate::http::answer_form::Form;
use crate::http::cors::Cors;
use crate::state::AppState;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Programs, our own pages and the person at the address bar; a front end of a configured origin where [`Cors`] opens
    /// the route. Pages of other sites may read what is public (GET), and change nothing.
    Everyone,
    /// The same, once they have proved to be an administrator.
    Administrators,
}

/// A route and its handlers.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) pattern: &'static str,
    pub(crate) handlers: MethodRouter<AppState>,
    pub(crate) about: About,
}

/// What the border needs to know about a route.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) audience: Audience,
    pub(crate) cors: Cors,
    /// The methods with the form of their rejections.
    methods: Vec<(Method, Form)>,
    /// The form for other methods, where the route takes them all.
    others: Option<Form>,
    /// The form where no method fits.
    form: Form,
    is_handled: bool,
}

impl Route {
    /// A route without methods yet.
    pub(crate) fn at(pattern: &'static str) -> Self {
        let (audience, cors, form) = (Audience::Everyone, Cors::Closed, Form::Page);
        let about = About { audience, cors, methods: Vec::new(), others: None, form, is_handled: false };
        Self { pattern, handlers: MethodRouter::new(), about }
    }

    /// A path that is ours and answers nothing by itself: it is kept for what comes, or handled with all other paths. A slash
    /// at its end stands for everything below, too.
    pub(crate) fn reserved(pattern: &'static str, form: Form) -> Self {
        let mut route = Self::at(pattern);
        (route.about.form, route.about.others) = (form, Some(form));
        route
    }

    /// GET and HEAD.
    pub(crate) fn get<H: Handler<T, AppState>, T: 'static>(self, form: Form, handler: H) -> Self {
        self.method(Method::GET, MethodFilter::GET, form, handler)
    }

    pub(crate) fn post<H: Handler<T, AppState>, T: 'static>(self, form: Form, handler: H) -> Self {
        self.method(Method::POST, MethodFilter::POST, form, handler)
    }

    /// All other methods; the handler itself tells which of them it takes.
    pub(crate) fn others<H: Handler<T, AppState>, T: 'static>(mut self, form: Form, handler: H) -> Self {
        self.handlers = self.handlers.fallback(handler);
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

    /// For administrators alone.
    pub(crate) fn administrators(mut self) -> Self {
        self.about.audience = Audience::Administrators;
        self
    }
}

impl About {
    /// True when the router has handlers for it.
    pub(crate) fn is_handled(&self) -> bool {
        self.is_handled
    }

    /// True for a route whose paths may also be those of redirects: GET is left to them.
    pub(crate) fn is_shared_with_redirects(&self) -> bool {
        self.is_handled && self.others.is_some()
    }

    /// The methods that it names.
    pub(crate) fn methods(&self) -> Vec<Method> {
        self.methods.iter().map(|(method, _)| method.clone()).collect()
    }

    /// True when the route takes the method of the request.
    pub(crate) fn takes(&self, request: &Request) -> bool {
        self.others.is_some() || self.form_of_named(request.method()).is_some()
    }

    /// The form of rejections of a request by this method.
    pub(crate) fn form_of(&self, method: &Method) -> Form {
        self.form_of_named(method).or(self.others).unwrap_or(self.form)
    }

    fn form_of_named(&self, method: &Method) -> Option<Form> {
        // HEAD is answered as GET, without the body (RFC 9110, 9.3.2).
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.methods.iter().find(|(named, _)| named == method).map(|(_, form)| *form)
    }
}
