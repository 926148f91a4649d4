//! WW_verify_*.txt: what WeCom asks for before it takes a domain as the company's.

use std::fs;
use std::os::unix::fs::symlink;

use crate::world::world;

#[tokio::test]
async fn a_file_of_the_verify_folder_is_given_as_it_is() {
    let world = world().start().await;
    let folder = world.data().join("verify");
    fs::create_dir(&folder).unwrap();
    // Neither a line end nor a character is added or taken away.
    for (name, bytes) in
        [("WW_verify_a1B2c3D4e5F6g7H8.txt", "a1B2c3D4e5F6g7H8"), ("WW_verify_x.txt", "\r\n x\n")]
    {
        fs::write(folder.join(name), bytes).unwrap();
        let page = world.browser().get(&format!("/{name}")).await;
        assert_eq!((page.status.as_u16(), page.text.as_str()), (200, bytes));
        assert_eq!(page.header("content-type"), "text/plain");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn nothing_else_of_the_machine_is() {
    let world = world().start().await;
    let (data, folder) = (world.data(), world.data().join("verify"));
    fs::create_dir_all(folder.join("WW_verify_folder.txt")).unwrap();
    fs::write(data.join("WW_verify_beside.txt"), "secret").unwrap();
    fs::write(folder.join("other.txt"), "secret").unwrap();
    fs::write(folder.join("WW_verify_large.txt"), "x".repeat(1025)).unwrap();
    symlink(data.join("key"), folder.join("WW_verify_link.txt")).unwrap();
    for path in [
        "/WW_verify_missing.txt",
        "/WW_verify_beside.txt",
        "/WW_verify_folder.txt",
        "/WW_verify_large.txt",
        "/WW_verify_link.txt",
        "/WW_verify_..%2Fother.txt",
        "/WW_verify_%2e%2e/key",
        "/verify/other.txt",
        "/other.txt",
    ] {
        let page = world.browser().get(path).await;
        assert_eq!((page.status.as_u16(), page.problem()), (404, 710_305), "{path}");
        assert!(!page.text.contains("secret"), "{path}");
    }
}
