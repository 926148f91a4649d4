//! Every route, declared once: path, methods with handlers and the form of their answers, access, and CORS. See
//! [`crate::routes::route`].

use crate::console::{accounts, sessions, sync};
use crate::element_api::{client_script, functions};
use crate::http::answer_form::Form::{Envelope, Function, Json, JsonOrPage, OAuth, Page, PageOrJson, Text};
use crate::http::cors::Cors::{SignInFunctions, WithCookies, WithoutCookies};
use crate::operations::{assets, health, metrics, ready};
use crate::routes::own_paths::OwnPaths;
use crate::routes::route::Route;
use crate::session::{home, logout, me, token_pair};
use crate::sign_in::{links, page, redirect};
use crate::wecom_callback;

/// The routes of the main address.
pub(crate) fn declared() -> Vec<Route> {
    vec![
        // Pages.
        Route::at(links::HOME).get_with_effects(Page, home::home),
        Route::at(links::LOGIN).get_with_effects(Page, page::login).post(Json, page::renew),
        Route::at("/assets/{file}").get(Page, assets::asset),
        // Sessions.
        Route::at("/me").get(JsonOrPage, me::me).shared(WithCookies),
        Route::at("/logout").post(PageOrJson, logout::logout).shared(WithCookies),
        Route::at("/session/refresh").post(Json, token_pair::refresh).shared(WithoutCookies),
        // Elements. Redirect addresses may be below /api/ too, as in the platform's own examples: they use GET.
        Route::at("/api/{*path}")
            .post(Function, functions::call)
            .others(Page, redirect::callback)
            .shared(SignInFunctions),
        Route::at("/client.js").get(Page, client_script::module).shared(WithoutCookies),
        Route::at("/client.global.js").get(Page, client_script::classic).shared(WithoutCookies),
        // WeCom.
        Route::at("/wecom/callback/{name}")
            .get_with_effects(Text, wecom_callback::check_address)
            .post(Text, wecom_callback::event),
        Route::reserved("/WW_verify_{file}", Page),
        // Administration.
        Route::at("/console/api/accounts").get(Envelope, accounts::list).administrators(),
        Route::at("/console/api/accounts/import").post(Envelope, accounts::import).administrators(),
        Route::at("/console/api/accounts/bind").post(Envelope, accounts::bind).administrators(),
        Route::at("/console/api/accounts/unbind").post(Envelope, accounts::unbind).administrators(),
        Route::at("/console/api/sync").get(Envelope, sync::show).post(Envelope, sync::start).administrators(),
        Route::at("/console/api/sync/confirm").post(Envelope, sync::confirm).administrators(),
        Route::at("/console/api/sessions").get(Envelope, sessions::list).administrators(),
        Route::at("/console/api/sessions/revoke").post(Envelope, sessions::revoke).administrators(),
        // Operations.
        Route::at("/healthz").get(Text, health::healthz),
        Route::at("/readyz").get(Text, ready::readyz),
        Route::at("/metrics").get(Envelope, metrics::metrics).administrators(),
        // Reserved for future use, so that no instance has its redirectUri there.
        Route::reserved("/.well-known/", Json),
        Route::reserved("/.wecom-login/", Page),
        Route::reserved("/console/", Page),
        Route::reserved("/device", Page),
        Route::reserved("/forward-auth/", Text),
        Route::reserved("/help/", Page),
        Route::reserved("/oauth2/", OAuth),
    ]
}

/// The paths that no instance's redirectUri may have.
pub(crate) fn own_paths() -> OwnPaths {
    OwnPaths::of(
        declared().iter().filter(|route| !route.about.is_shared_with_redirects()).map(|route| route.pattern),
    )
}

/// The routes of the listener for metrics. `open`: only this machine reaches it, so no API key is required.
pub(crate) fn of_metrics(open: bool) -> Vec<Route> {
    let metrics = Route::at("/metrics").get(Envelope, metrics::metrics);
    vec![if open { metrics } else { metrics.administrators() }]
}

/// The fallback for every other path: a domain file, an instance's redirect, or not found.
pub(crate) fn elsewhere() -> Route {
    Route::at("/{*path}").others(Page, redirect::elsewhere)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::cors::Cors;
    use crate::routes::route::Audience;

    /// Front ends of configured origins may sign members in and out, and nothing else.
    #[test]
    fn the_sign_in_is_open_to_configured_origins_and_nothing_else() {
        let shared: Vec<_> = declared()
            .into_iter()
            .filter(|route| route.about.cors != Cors::Closed)
            .map(|route| (route.pattern, route.about.cors))
            .collect();
        assert_eq!(
            shared,
            [
                ("/me", WithCookies),
                ("/logout", WithCookies),
                ("/session/refresh", WithoutCookies),
                ("/api/{*path}", SignInFunctions),
                ("/client.js", WithoutCookies),
                ("/client.global.js", WithoutCookies),
            ]
        );
        let open = |path| SignInFunctions.at(path).is_some();
        assert!(
            open("/api/acme/portal/auths/loginTypes/X/getLoginConfig") && open("/api/a/b/c/getLoginCode")
        );
        for path in ["/api/getLoginConfig/x", "/api/a/b/X/getUserInfo", "/api/a/b/X/syncDepartmentInfo"] {
            assert!(!open(path), "{path}");
        }
    }

    /// A path of the route on a server of the test kit.
    fn path_of(pattern: &str) -> String {
        use wecom_login_testkit::world::API;
        match pattern {
            "/assets/{file}" => wecom_login_pages::assets()[0].path.clone(),
            "/api/{*path}" => format!("{API}/getLoginConfig"),
            "/wecom/callback/{name}" => "/wecom/callback/Example".to_owned(),
            "/WW_verify_{file}" => "/WW_verify_x.txt".to_owned(),
            pattern => {
                assert!(!pattern.contains('{'), "{pattern} needs a path for this test");
                pattern.to_owned()
            }
        }
    }

    /// F23: a shared cache would give a cookie to other visitors.
    #[tokio::test]
    async fn no_answer_that_sets_a_cookie_is_cacheable() {
        use wecom_login_testkit::world::{REDIRECT, redirect, world};
        let world = world().start().await;
        let paths = declared().into_iter().map(|route| path_of(route.pattern));
        let elsewhere = [REDIRECT.to_owned(), redirect("x", "y"), "/nothing".to_owned()];
        let (mut with_cookie, mut cacheable) = (Vec::new(), Vec::new());
        for path in paths.chain(elsewhere) {
            let separator = if path.contains('?') { '&' } else { '?' };
            for method in ["GET", "POST", "HEAD", "OPTIONS", "PUT"] {
                let browser = world.browser();
                let request = browser.request(method.parse().unwrap(), &format!("{path}{separator}lang=en"));
                let page = browser.send(request).await;
                let (sets_cookie, cached) =
                    (page.headers.contains_key("set-cookie"), page.header("cache-control"));
                assert!(!sets_cookie || cached == "no-store", "{method} {path}: {page:?}");
                if method == "GET" && sets_cookie {
                    with_cookie.push(path.clone());
                }
                if method == "GET" && cached.contains("public") {
                    cacheable.push(path.clone());
                }
                assert!(!(method == "HEAD" && sets_cookie), "{path}");
            }
        }
        assert_eq!(cacheable, [&path_of("/assets/{file}"), "/client.js", "/client.global.js"]);
        for path in ["/", "/login", "/me", "/nothing"] {
            assert!(with_cookie.iter().any(|other| other == path), "{path} keeps the language");
        }
    }

    #[test]
    fn administration_and_figures_are_for_administrators() {
        for route in declared().into_iter().chain(of_metrics(false)) {
            let expected = match route.pattern {
                "/metrics" => Audience::Administrators,
                pattern if pattern.starts_with("/console/api/") => Audience::Administrators,
                _ => Audience::Everyone,
            };
            assert_eq!(route.about.audience, expected, "{}", route.pattern);
        }
    }

    #[test]
    fn no_instance_can_have_a_path_of_ours_or_one_that_is_kept() {
        let own = own_paths();
        for path in [
            "/",
            "/login",
            "/me",
            "/logout",
            "/session/refresh",
            "/client.js",
            "/client.global.js",
            "/healthz",
            "/readyz",
            "/metrics",
            "/console",
            "/console/api/sync",
            "/assets/x",
            "/wecom/callback/Staff",
            "/WW_verify_x.txt",
            "/.well-known/openid-configuration",
            "/.wecom-login/callback",
            "/device",
            "/forward-auth",
            "/forward-auth/nginx",
            "/help/710101",
            "/oauth2/token",
        ] {
            assert!(own.at(path).is_some(), "{path}");
        }
        // Redirect addresses may be below /api/, as in the platform's examples.
        for path in ["/auth/wecom", "/api/acme/portal/callback", "/devices", "/helpdesk"] {
            assert_eq!(own.at(path), None, "{path}");
        }
    }
}
