//! Command lines and what they ask for.

use super::{Network, Settings, Source};

fn read(arguments: &str) -> Result<Settings, String> {
    let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
    Settings::read(&arguments).map_err(|it| it.to_string())
}

#[test]
fn where_flagr_comes_from() {
    let check = |arguments, images: &[&str], network| {
        let images = images.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(read(arguments).unwrap().source, Source::Docker { images, network });
    };
    check("", &["ghcr.io/openflagr/flagr:1.2.3"], Network::Own);
    check("--tag 1.2.0 --network host", &["ghcr.io/openflagr/flagr:1.2.0"], Network::Host);
    check("--image mine --matrix 1.1.18,1.2.0", &["mine:1.1.18", "mine:1.2.0"], Network::Own);

    assert_eq!(read("--flagr-bin ./flagr").unwrap().source, Source::Program("./flagr".into()));
    let url = read("--flagr-url http://flagr:18000/x/").unwrap().source;
    assert_eq!(url, Source::Url("http://flagr:18000/x".to_owned()));
}

#[test]
fn what_is_run() {
    let settings = read("--only outage --list --vexilla target/vexilla").unwrap();
    assert_eq!((settings.only.as_str(), settings.list), ("outage", true));
    assert_eq!(settings.vexilla, Some("target/vexilla".into()));
    assert!(read("--clients").unwrap().clients && !settings.clients);
    assert_eq!((read("").unwrap().only.as_str(), read("").unwrap().list), ("", false));
}

#[test]
fn what_is_refused() {
    let check = |arguments, message: &str| assert_eq!(read(arguments), Err(message.to_owned()));
    let one =
        "Flagr comes from an image, from `--flagr-bin` or from `--flagr-url`: give one of them";
    check("--flagr-url http://h --tag 1.2.3", one);
    check("--flagr-url http://h --flagr-bin f", one);
    check("--flagr-url flagr:18000", "`--flagr-url` begins with http://");
    check("--tag 1 --matrix 1,2", "`--matrix` and `--tag` exclude each other");
    check("--matrix 1,,2", "`--matrix` has an empty tag");
    check("--network bridge", "`--network` is `own` or `host`, not `bridge`");
}
