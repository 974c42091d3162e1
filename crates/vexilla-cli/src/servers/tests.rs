//! Where the servers listen.

use clap::Parser;

use super::{check_apart, webhook};
use crate::args::Cli;
use crate::settings::{Outside, Settings};

fn settings(arguments: &[&str]) -> Settings {
    let cli = Cli::parse_from(["vexilla", "serve"].iter().chain(arguments));
    let outside = Outside { flags: cli.flags().0, ..Outside::default() };
    outside.load().unwrap().settings
}

#[track_caller]
fn check(arguments: &[&str], expected: Option<&str>) {
    let settings = settings(arguments);
    assert_eq!(webhook(&settings).map(|it| it.to_string()).as_deref(), expected);
}

#[test]
fn notifications_are_taken_where_a_flagr_sends_them() {
    let flagr = ["--flagr", "http://localhost:18000"];
    check(&flagr, Some("127.0.0.1:18001"));
    check(&[flagr[0], flagr[1], "--webhook-listen", "off"], None);
    check(&["--flags", "flags.json"], None);
    check(&["--flags", "flags.json", "--webhook-listen", "unix:/run/a"], Some("unix:/run/a"));
}

#[track_caller]
fn check_refused(arguments: &[&str], expected: Option<&str>) {
    let refused = check_apart(&settings(arguments)).map_err(|it| it.to_string());
    assert_eq!(refused.err().as_deref(), expected, "{arguments:?}");
}

#[test]
fn two_servers_at_one_address_are_told_of_each_other() {
    check_refused(&[], None);
    check_refused(&["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"], None);
    check_refused(&["--listen", "127.0.0.1:7", "--admin-listen", "127.0.0.2:7"], None);
    check_refused(&["--listen", "0.0.0.0:7", "--admin-listen", "[::1]:7"], None);
    check_refused(&["--listen", "unix:/a", "--admin-listen", "unix:/b"], None);
    check_refused(&["--listen", "127.0.0.1:18001"], None); // without a Flagr there is no webhook
    let own = "is taken by this process itself:";
    for (arguments, address, other) in [
        (
            &["--listen", "127.0.0.1:7", "--admin-listen", "127.0.0.1:7"],
            "--admin-listen: 127.0.0.1:7",
            "the sidecar listens on 127.0.0.1:7 (`sidecar.listen`)",
        ),
        (
            &["--admin-listen", "127.0.0.1:7", "--webhook-listen", "[::]:7"],
            "--webhook-listen: [::]:7",
            "the admin API listens on 127.0.0.1:7 (`admin.listen`)",
        ),
        (
            &["--listen", "unix:/a", "--webhook-listen", "unix:/a"],
            "--webhook-listen: unix:/a",
            "the sidecar listens on unix:/a (`sidecar.listen`)",
        ),
        // Where it meets a default, what was given is at fault.
        (
            &["--listen", "0.0.0.0:18001", "--flagr", "http://localhost:18000"],
            "--listen: 0.0.0.0:18001",
            "the webhook listens on 127.0.0.1:18001 (`webhook.listen`)",
        ),
    ] {
        check_refused(arguments, Some(&format!("{address} {own} {other}")));
    }
}
