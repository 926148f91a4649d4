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
