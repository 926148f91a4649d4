use wecom_login_element::Framework;

use crate::TYPE_NAME;

/// The full name of the framework's app, under which the code of our Types is registered.
pub const FRAMEWORK: &str = "wecom.framework";

/// The app that every other one extends: the Meta of sign-in types and our own Type. Its `e.json` files are in the
/// folder `elements` and compiled in.
pub fn framework() -> Framework {
    Framework::new(FRAMEWORK)
        .element("auths.loginTypes.Meta", include_str!("../elements/auths/loginTypes/Meta/e.json"))
        .element(TYPE_NAME, include_str!("../elements/auths/loginTypes/QywxInnerType/e.json"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use wecom_login_element::{Access, App, Environment};

    use super::*;

    #[test]
    fn the_six_functions_are_declared_and_only_the_sign_in_is_open() {
        let no_elements = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let app = App::open(&no_elements, &Environment::new(framework())).unwrap();
        assert_eq!(app.faults(), []);
        let functions: Vec<(&str, Access, usize)> = app
            .element(TYPE_NAME)
            .unwrap()
            .functions()
            .iter()
            .map(|function| (function.name.as_str(), function.access, function.parameters.len()))
            .collect();
        assert_eq!(
            functions,
            [
                ("getLoginConfig", Access::Anyone, 0),
                ("getLoginCode", Access::Anyone, 2),
                ("getUserInfo", Access::Administrators, 1),
                ("getAccessToken", Access::Library, 0),
                ("syncUserInfo", Access::Administrators, 2),
                ("syncDepartmentInfo", Access::Administrators, 1),
            ]
        );
    }
}
