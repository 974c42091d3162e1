//! The strongest place wins, whatever else is set; and what is printed is as good as what was given.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::super::kind::Shown;
use super::super::table::Setting;
use super::super::{Origin, parts};
use super::load;

/// A value of a setting: as text, and as it stands in a file.
fn value(setting: &Setting) -> BoxedStrategy<(String, String)> {
    let quoted = |it: String| (it.clone(), toml::Value::String(it).to_string());
    let bare = |it: String| (it.clone(), it);
    let shape = setting.shape.as_str();
    let names: Vec<_> = shape.split(" or ").map(|it| it.trim_matches('`').to_owned()).collect();
    match shape {
        "`true` or `false`" => any::<bool>().prop_map(move |it| bare(it.to_string())).boxed(),
        _ if names.len() > 1
            && shape.starts_with('`')
            && names.iter().all(|it| !it.contains(' ')) =>
        {
            any::<Index>().prop_map(move |it| quoted(it.get(&names).clone())).boxed()
        }
        _ if shape.starts_with("duration") => {
            (1..100_000_u64).prop_map(move |it| quoted(format!("{it}ms"))).boxed()
        }
        _ if shape.starts_with("size") => prop_oneof![
            (1..5_000_u64).prop_map(move |it| quoted(format!("{it}KiB"))),
            (1..u64::from(u32::MAX)).prop_map(move |it| bare(it.to_string())),
        ]
        .boxed(),
        _ if shape.starts_with("number") => {
            (1..1_000_u32).prop_map(move |it| bare(it.to_string())).boxed()
        }
        _ if shape.starts_with("list") => prop::collection::vec("[a-z]{1,8}", 0..4)
            .prop_map(move |it| {
                let list =
                    toml::Value::Array(it.iter().cloned().map(toml::Value::String).collect());
                (it.join(","), list.to_string())
            })
            .boxed(),
        _ if shape.starts_with("address") => {
            (1..u16::MAX).prop_map(move |it| quoted(format!("127.0.0.1:{it}"))).boxed()
        }
        _ if shape.starts_with("level") => {
            prop_oneof!["info", "warn,vexilla=debug"].prop_map(quoted).boxed()
        }
        _ if shape.contains("Name: value") => {
            "[a-z]{1,8}".prop_map(move |it| quoted(format!("X: {it}"))).boxed()
        }
        "URL" if setting.path == "redis.url" => {
            "[a-z]{1,8}".prop_map(move |it| quoted(format!("redis://{it}"))).boxed()
        }
        "path that begins with a slash, or empty" => "/[a-z]{1,8}".prop_map(quoted).boxed(),
        "path of a file" => prop_oneof!["Cargo\\.toml", "src/main\\.rs"].prop_map(quoted).boxed(),
        _ if shape.contains("name=value") => {
            "[a-z]{1,8}".prop_map(move |it| quoted(format!("x={it},y=%20"))).boxed()
        }
        "path" => "[a-z:/'\"\\\\ é#]{0,11}x".prop_map(quoted).boxed(),
        "text" | "URL" | "secret text" => "[a-z:/'\"\\\\ é#\n]{0,11}x".prop_map(quoted).boxed(),
        other => panic!("a value for {}: {other}", setting.path),
    }
}

/// A setting, and its values in the file, the environment and the flags, as far as it has them there.
type Case = (Setting, Vec<Option<(String, String)>>);

fn cases() -> impl Strategy<Value = Vec<Case>> {
    let settings = parts().into_iter().flat_map(|it| it.settings);
    // A secret's file has to be there; tests of their own read such files.
    let settings: Vec<_> = settings.filter(|it| !it.path.ends_with("_file")).collect();
    subsequence(settings, 0..=24).prop_flat_map(|settings| {
        let case = |it: Setting| {
            let given = prop::collection::vec(prop::option::of(value(&it)), 3);
            given.prop_map(move |given| (it.clone(), given))
        };
        settings.into_iter().map(case).collect::<Vec<_>>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_strongest_place_wins_and_what_is_printed_is_as_good(cases in cases()) {
        let (mut file, mut variables, mut flags) = (String::new(), Vec::new(), Vec::new());
        for (setting, given) in &cases {
            if let Some((_, toml)) = &given[0] {
                writeln!(file, "{} = {toml}", setting.path).unwrap();
            }
            if let Some((text, _)) = &given[1] {
                variables.push((setting.variable(), text.clone()));
            }
            if let (Some((text, _)), Some(_)) = (&given[2], setting.flag()) {
                flags.push((setting.path.clone(), text.clone()));
            }
        }
        let variables: Vec<_> = variables.iter().map(|(name, it)| (&**name, &**it)).collect();
        let flags: Vec<_> = flags.iter().map(|(path, it)| (&**path, &**it)).collect();
        let loaded = load(&file, &variables, &flags).unwrap();

        for (setting, given) in &cases {
            // As if it stood in the strongest place alone.
            let empty = |it: &&(String, String)| !it.0.is_empty();
            let flag = given[2].as_ref().filter(|_| setting.flag().is_some());
            let variable = given[1].as_ref().filter(empty);
            let alone = match (flag, variable, &given[0]) {
                (Some((text, _)), ..) => load("", &[], &[(&setting.path, text)]),
                (None, Some((text, _)), _) => load("", &[(&setting.variable(), text)], &[]),
                (None, None, Some((_, toml))) => load(&format!("{} = {toml}", setting.path), &[], &[]),
                (None, None, None) => load("", &[], &[]),
            };
            let alone = alone.unwrap();
            let of = |it: &super::Loaded| {
                let mut it = it.effective.iter().find(|it| it.path == setting.path).unwrap().clone();
                if let Origin::File { .. } = it.origin {
                    it.origin = Origin::Default; // the line differs
                }
                it
            };
            prop_assert_eq!(of(&loaded), of(&alone));
        }

        let again = load(&loaded.print(), &[], &[]).unwrap();
        for (again, first) in again.effective.iter().zip(&loaded.effective) {
            match &first.shown {
                Shown::Hidden(_) => prop_assert_eq!(&again.shown, &Shown::Unset),
                shown => prop_assert_eq!(&again.shown, shown, "{}", first.path),
            }
        }
    }
}
