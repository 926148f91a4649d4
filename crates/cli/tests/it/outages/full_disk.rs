use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::World;

/// The command in a mount namespace of its own, in which `folder` is a file system of 4 MiB.
fn on_a_small_disk(folder: &Path, command: &Command) -> Command {
    let mut small = Command::new("unshare");
    small.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    small.arg(r#"mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@""#).arg(folder);
    small.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => small.env(name, value),
            None => small.env_remove(name),
        };
    }
    small.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    small
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs to mount a file system (unshare --user --mount), which some machines allow to nobody"]
async fn a_full_disk_stops_what_writes_and_nothing_else() {
    let world = World::start(|app, command| {
        std::fs::create_dir_all(app.data()).unwrap();
        *command = on_a_small_disk(&app.data(), command);
    })
    .await;
    let browser = world.browser();
    let redirect = browser.redirect(world.app.url(), &world.wecom.code_for("wu10")).await;
    // As the program sees it.
    let ballast = format!("/proc/{}/root{}/ballast", world.program.id(), world.app.data().display());
    let mut filling = std::fs::File::create(&ballast).unwrap();
    let is_full = (0..2_048).any(|_| filling.write_all(&[0; 4096]).is_err());
    assert!(is_full, "4 MiB hold 8");
    drop(filling);
    world.lacks(&["database"]).await;
    assert_eq!(world.zhangsan.me(world.app.url()).await.as_deref(), Some("zhangsan"), "what reads goes on");
    world.sign_ins_are_unavailable(&browser, &redirect).await;
    world.lisi_leaves();
    world.event_is_tried().await;

    std::fs::remove_file(&ballast).unwrap();
    world.everything_is_as_it_should(&browser, &redirect).await;
}
