//! Command lines and what they ask for.

use clap::error::ErrorKind;
use clap::{Args, Command, FromArgMatches};

use super::{Network, Options};

fn read(arguments: &str) -> Result<Options, ErrorKind> {
    let command = Options::augment_args(Command::new("integ").no_binary_name(true));
    let given = command.try_get_matches_from(arguments.split_whitespace());
    given.map(|it| Options::from_arg_matches(&it).unwrap()).map_err(|it| it.kind())
}

#[test]
fn where_flagr_comes_from() {
    let check = |arguments, images: &[&str], network| {
        let options = read(arguments).unwrap();
        assert_eq!(
            (options.images(), options.network),
            (images.iter().map(|it| (*it).to_owned()).collect(), network)
        );
        assert!(options.flagr.place().unwrap().is_none());
    };
    check("", &["ghcr.io/openflagr/flagr:1.2.3"], Network::Own);
    check("--tag 1.2.0 --network host", &["ghcr.io/openflagr/flagr:1.2.0"], Network::Host);
    check("--image mine --matrix 1.1.18,1.2.0", &["mine:1.1.18", "mine:1.2.0"], Network::Own);

    let url = read("--flagr-url http://flagr:18000/x/").unwrap().flagr.place().unwrap().unwrap();
    assert_eq!(url.describe(), "http://flagr:18000/x");
    let missing = read("--flagr-bin ./no-such-flagr").unwrap().flagr.place().unwrap_err();
    assert!(
        missing.to_string().contains("`--flagr-bin`: there is no ./no-such-flagr"),
        "{missing}"
    );
}

#[test]
fn what_is_refused() {
    let check = |arguments, kind| assert_eq!(read(arguments).unwrap_err(), kind, "{arguments}");
    check("--flagr-url http://h --tag 1.2.3", ErrorKind::ArgumentConflict);
    check("--flagr-bin f --matrix 1.2.3", ErrorKind::ArgumentConflict);
    check("--flagr-url http://h --flagr-bin f", ErrorKind::ArgumentConflict);
    check("--tag 1 --matrix 1,2", ErrorKind::ArgumentConflict);
    check("--flagr-url flagr:18000", ErrorKind::ValueValidation);
    check("--matrix 1,,2", ErrorKind::InvalidValue);
    check("--network bridge", ErrorKind::InvalidValue);
}
