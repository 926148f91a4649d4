//! docs/library.md prints the example program that is run here.

#[path = "../../examples/six_functions.rs"]
#[allow(dead_code, unreachable_pub, reason = "the example has a main of its own")]
mod six_functions;

#[tokio::test]
async fn the_example_of_the_six_functions_runs() {
    let told = six_functions::run().await.unwrap();
    assert_eq!(
        told,
        [
            r#"getLoginConfig: company "ww5ca1ab1e5ca1ab1e", app "1000002""#,
            r#"getLoginCode: "张三" of departments [1,2]"#,
            r#"getUserInfo: "李四", "人事主管""#,
            "getAccessToken: 86 bytes",
            "auths.loginTypes.Staff.QywxInnerAuthModel: 2 members of department 2",
            "auths.loginTypes.QywxInnerType.QywxInnerAuthModel: 2 members of department 2",
            "a bad code is error 40029",
        ]
    );
}

#[test]
fn the_document_prints_the_example_that_is_run() {
    let document = include_str!("../../../../docs/library.md");
    assert!(document.contains(include_str!("../../examples/six_functions.rs")), "docs/library.md is stale");
}
