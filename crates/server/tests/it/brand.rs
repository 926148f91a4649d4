//! A company's own name, picture and colour on the pages.

use wecom_login_pages::{Colour, brand_style, logo};
use wecom_login_server::{Brand, BrandStyle};

use crate::world::world;

const PICTURE: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";

#[tokio::test]
async fn pages_carry_the_companys_name_picture_and_colour() {
    let world = world()
        .settings(|settings| {
            settings.brand = Brand {
                name: Some("Yunfan <b>".to_owned()),
                logo: logo(PICTURE.as_bytes().to_vec()),
                colour: Colour::parse("#7a1f5c").map(|colour| BrandStyle(brand_style(colour))),
            };
        })
        .start()
        .await;
    let browser = world.browser();
    for path in ["/login", "/nothing"] {
        let page = browser.get(path).await;
        assert!(page.text.contains("Yunfan &#60;b&#62;"), "{}", page.text);
        let path_of = |mark: &str| -> String {
            let rest = page.text.split_once(mark).unwrap_or_else(|| panic!("{mark} in {}", page.text)).1;
            rest.split('"').next().unwrap().to_owned()
        };
        let picture = browser.get(&path_of("<img class=\"logo\" src=\"")).await;
        assert_eq!((picture.header("content-type"), picture.text.as_str()), ("image/svg+xml", PICTURE));
        // Opened on its own, a picture runs nothing.
        assert!(picture.header("content-security-policy").starts_with("default-src 'none'"));
        let style = browser.get(&format!("/assets/brand-{}", path_of("href=\"/assets/brand-"))).await;
        assert!(style.header("content-type").starts_with("text/css"));
        assert!(style.text.contains("--accent: #7a1f5c;"), "{}", style.text);
        assert!(style.header("cache-control").contains("immutable"));
    }
}
