//! Where the webhook listens.

use clap::Parser;

use super::webhook;
use crate::args::{Cli, Command};

#[track_caller]
fn check(arguments: &[&str], expected: Option<&str>) {
    let cli = Cli::parse_from(["vexilla", "serve"].iter().chain(arguments));
    let Command::Serve(args) = cli.command else { unreachable!("not `serve`") };
    assert_eq!(webhook(&args).map(|it| it.to_string()).as_deref(), expected);
}

#[test]
fn notifications_are_taken_where_a_flagr_sends_them() {
    let flagr = ["--flagr", "http://localhost:18000"];
    check(&flagr, Some("127.0.0.1:18001"));
    check(&[flagr[0], flagr[1], "--webhook-listen", "off"], None);
    check(&["--flags", "flags.json"], None);
    check(&["--flags", "flags.json", "--webhook-listen", "unix:/run/a"], Some("unix:/run/a"));
}
