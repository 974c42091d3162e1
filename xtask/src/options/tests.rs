//! What arguments become, and which are refused.

use super::{Known, Options};

const KNOWN: Known = Known { with_value: &["--tag", "--url"], alone: &["--list"] };

fn read(arguments: &str) -> Result<Options, String> {
    let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
    Options::read(&arguments, &KNOWN).map_err(|it| it.to_string())
}

#[test]
fn what_was_given() {
    let options = read("--tag 1.2.3 --list --url=http://h/?a=b").unwrap();
    assert_eq!(options.value("--tag"), Some("1.2.3"));
    assert_eq!(options.value("--url"), Some("http://h/?a=b"));
    assert!(options.has("--list"));
    assert_eq!(options.value("--list"), None);

    let nothing = read("").unwrap();
    assert!(!nothing.has("--list"));
    assert_eq!(nothing.value("--tag"), None);
}

#[test]
fn what_is_refused() {
    let check = |arguments, message: &str| assert_eq!(read(arguments), Err(message.to_owned()));
    check("--tag", "`--tag` needs a value");
    check("--tag=", "`--tag` needs a value");
    check("--tags 1", "`--tags` is not known");
    check("1.2.3", "`1.2.3` is not known");
    check("--list=yes", "`--list` takes no value");
    check("--list --list", "`--list` is given twice");
    check("--tag 1 --tag=2", "`--tag` is given twice");
}
