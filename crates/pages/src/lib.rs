//! The pages people see while they sign in: plain views go in, complete HTML comes out.
//!
//! Nothing here knows HTTP, sessions or WeCom. The server fills a view ([`LoginPage`], [`ChoosePage`],
//! [`HomePage`], [`SignedOutPage`], [`ProblemPage`]), adds the frame that all pages share
//! ([`Chrome`]) and sends what `html` returns, as `text/html; charset=utf-8`. The templates lie in
//! `web/templates`, are checked when this crate is compiled, and hold each text in both languages side by side,
//! so that neither language can lack one. Every value is escaped and isolated from the direction of the text
//! around it: a name may hold markup, quotes or right-to-left marks.
//!
//! The pages hold no inline script, no inline style and nothing from elsewhere but, on the sign-in page, WeCom's
//! own frame. They work under [`CONTENT_SECURITY_POLICY`] with a few words added for
//! the sign-in page, and do all they do without script. Two scripts make them better: one keeps the browser's
//! back/forward cache from showing a page as it was; the other, the JavaScript client's login panel
//! (`clients/js/src/panel.ts`), shows WeCom's panel in the sign-in page. A plain link to the same sign-in always
//! stands below it.
//!
//! # Hooks for tests in a browser
//!
//! Elements are found by `data-testid`, which stays when texts and looks change:
//!
//! | page | hook | element |
//! |---|---|---|
//! | all | `language-zh`, `language-en` | link to the same page in that language |
//! | all | `brand`, `request-id` | name in the header; identifier in the footer, absent when none is known |
//! | login | `sign-in-title`, `sign-in-notice` | heading; why the sign-in was restarted, if it was |
//! | login | `sign-in-lead` | what to do now; its words change with what the panel tells |
//! | login, choose | `binding-warning`, `binding-account`, `binding-name`, `binding-leave` | of a binding: what follows from it; the account; the member who is signed in, if known; link that leads away |
//! | login | `sign-in-panel` | where the script puts WeCom's frame, with [`Panel`] only |
//! | login | `sign-in-button` | the same link in the panel's place, for browsers that run no script |
//! | login | `sign-in-link` | link to the same sign-in as a page of its own, always |
//! | login | `trouble`, `trouble-title`, `trouble-retry` | one for each [`TroubleKind`], hidden until it happens |
//! | login | `trouble-meaning`, `trouble-who`, `trouble-how`, `trouble-details`, `trouble-reason` | as of a problem |
//! | callback | `callback-title`, `callback-status` | heading; what is going on. Its troubles have the hooks of login |
//! | login | `trouble-code`, `trouble-number`, `trouble-request` | our number; WeCom's; the request's |
//! | choose | `choices`, `choice` | the list; one link in it, with `data-element` = full name of the instance |
//! | home | `signed-in-name`, `signed-in-userid` | the member |
//! | home | `position`, `departments`, `company`, `element` | their place; each department is one `li` |
//! | home | `signed-in-at`, `session-end` | `time` elements whose `datetime` is UTC (RFC 3339) |
//! | home | `bound-notice`, `bound-userid` | once after a binding: the member who was bound |
//! | home | `sign-out` | the button that posts to `/logout` |
//! | signed out | `signed-out-title`, `sign-in-again` | heading; link |
//! | problem | `problem-title`, `problem-meaning`, `problem-who`, `problem-how`, `problem-code` | the explanation; `problem-who` has `data-who` = member, administrator, developer, operator or wecom |
//! | problem | `problem-details`, `problem-retry` | list of values, absent when empty; link, absent when none |

mod assets;
mod binding;
mod brand;
mod callback;
mod choose;
mod chrome;
mod explained;
mod home;
mod login;
mod moment;
mod problem;
mod signed_out;

pub use assets::{Asset, assets};
pub use binding::BindingPage;
pub use brand::{Brand, Colour, LARGEST_LOGO, brand_style, logo};
pub use callback::CallbackPage;
pub use choose::{Choice, ChoosePage};
pub use chrome::{Chrome, LanguageLinks, UtcOffset};
pub use home::{BoundMember, HomePage};
pub use login::{LoginPage, Panel, Trouble, TroubleKind};
pub use problem::{ProblemPage, Retry, title};
pub use signed_out::SignedOutPage;

/// The policy that every page here works under. The sign-in page with a [`Panel`] needs
/// `; connect-src 'self'; frame-src <origin of WeCom's sign-in page>` added.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Renders a template into a `String`.
fn html(template: &impl askama::Template) -> String {
    #[expect(
        clippy::expect_used,
        reason = "writing to a String does not fail, and the templates print only texts and numbers"
    )]
    template.render().expect("texts and numbers print")
}
