//! What is handed out with the command fits it: images, units, examples, and the commands that the docs show.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use clap::Parser;
use yaml_rust2::{Yaml, YamlLoader};

use crate::args::{Cli, Command};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(&text(path)).unwrap();
    assert_eq!(documents.len(), 1, "{path}");
    documents.remove(0)
}

fn strings(list: &Yaml) -> Vec<String> {
    list.as_vec().expect("a list").iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// Fails unless the command takes these arguments.
#[track_caller]
fn parsed(arguments: &[String]) -> Command {
    let program = "vexilla".to_owned();
    match Cli::try_parse_from([&program].into_iter().chain(arguments)) {
        Ok(cli) => cli.command,
        Err(error) => panic!("{arguments:?}: {error}"),
    }
}

/// The value of `--name=value`.
#[track_caller]
fn value<'a>(arguments: &'a [String], name: &str) -> &'a str {
    let value = arguments.iter().find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("no {name} in {arguments:?}"))
}

/// What is kept over a restart has folders of its own on the volume.
#[track_caller]
fn keeps_on(volume: &str, arguments: &[String]) {
    for (name, folder) in [("--archive", "flags"), ("--exposures-spool", "exposures")] {
        assert_eq!(value(arguments, name), format!("{volume}/{folder}"));
    }
}

/// What may lie in memory fits the limit: caches and queues, half as much again for what keeps them in order, and 32 MiB
/// for the program and its flags.
#[track_caller]
fn fits(limit: &str, arguments: &[String]) {
    let mebibytes = |text: &str| -> u64 {
        let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
        digits.parse().unwrap_or_else(|_| panic!("{text} is no number of MiB"))
    };
    // Of queues there are two: exposures, and evaluations to be recorded.
    let kept = [
        ("--remote-cache-max-bytes", 1),
        ("--sidecar-max-waiting-bytes", 1),
        ("--exposures-queue-bytes", 2),
    ];
    let kept: u64 =
        kept.iter().map(|(name, times)| mebibytes(value(arguments, name)) * times).sum();
    assert!(kept * 3 / 2 + 32 <= mebibytes(limit), "{kept} MiB do not fit {limit}");
}

fn port(address: &str) -> &str {
    address.rsplit_once(':').expect("a port").1
}

/// The words that begin with `VEXILLA_`.
fn variables(text: &str) -> BTreeSet<&str> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    words.filter(|it| it.strip_prefix("VEXILLA_").is_some_and(|it| !it.is_empty())).collect()
}

/// All files of a folder and the folders in it.
fn files(folder: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn pages() -> Vec<String> {
    let mut found = Vec::new();
    files("docs", &mut found);
    found.retain(|it| Path::new(it).extension().is_some_and(|it| it == "md"));
    assert!(found.len() > 5);
    found
}

/// The three ports of `vexilla serve` in `compose.yaml`: the sidecar, the admin API, the webhook.
fn compose_ports(arguments: &[String]) -> [&str; 3] {
    ["--listen", "--admin-listen", "--webhook-listen"].map(|it| port(value(arguments, it)))
}

#[test]
fn compose_wires_flagr_and_vexilla() {
    let compose = yaml("compose.yaml");
    let (flagr, vexilla) = (&compose["services"]["flagr"], &compose["services"]["vexilla"]);
    let arguments = strings(&vexilla["command"]);
    assert!(matches!(parsed(&arguments), Command::Serve(_)));
    let ports = compose_ports(&arguments);
    assert_eq!(value(&arguments, "--flagr"), "http://flagr:18000");
    assert!(strings(&flagr["ports"])[0].ends_with(":18000:18000"));
    for published in strings(&vexilla["ports"]) {
        assert!(ports.contains(&port(&published)), "nobody listens behind {published}");
    }

    let environment = &flagr["environment"];
    assert_eq!(environment["FLAGR_NOTIFICATION_WEBHOOK_ENABLED"].as_str(), Some("true"));
    let url = format!("http://vexilla:{}/webhook", ports[2]);
    assert_eq!(environment["FLAGR_NOTIFICATION_WEBHOOK_URL"].as_str(), Some(&*url));
    let header = environment["FLAGR_NOTIFICATION_WEBHOOK_HEADERS"].as_str().unwrap();
    assert!(header.starts_with("Authorization: Bearer ${WEBHOOK_SECRET"));
    assert_eq!(vexilla["environment"]["VEXILLA_WEBHOOK_HEADER"].as_str(), Some(header));
    let token = vexilla["environment"]["VEXILLA_ADMIN_TOKEN"].as_str().unwrap();
    assert!(token.starts_with("${ADMIN_TOKEN"), "one secret for one purpose");

    let health = strings(&vexilla["healthcheck"]["test"]);
    assert!(matches!(parsed(&health[2..]), Command::Health(_)));
    let volume = strings(&vexilla["volumes"]).remove(0);
    keeps_on(volume.split_once(':').unwrap().1, &arguments);
    fits(vexilla["mem_limit"].as_str().unwrap(), &arguments);
}

#[test]
fn the_image_is_asked_by_its_own_binary() {
    let dockerfile = text("Dockerfile");
    let instruction = |name: &str| {
        let lines: Vec<_> = dockerfile.lines().filter(|it| it.starts_with(name)).collect();
        assert_eq!(lines.len(), 1, "{name}: {lines:?}");
        lines[0]
    };
    let entry = instruction("ENTRYPOINT ");
    assert_eq!(entry, r#"ENTRYPOINT ["/usr/bin/vexilla"]"#);
    let health = instruction("HEALTHCHECK ");
    let (_, health) = health.split_once("CMD ").unwrap();
    let health: Vec<String> = serde_json::from_str(health).unwrap();
    assert!(entry.contains(&health[0]));
    let Command::Health(args) = parsed(&health[1..]) else { panic!("{health:?}") };

    let compose = yaml("compose.yaml");
    let arguments = strings(&compose["services"]["vexilla"]["command"]);
    let ports = compose_ports(&arguments);
    // It asks where `serve` listens by default.
    assert_eq!((args.url, ports[0]), (None, "18100"));
    assert_eq!(instruction("EXPOSE "), format!("EXPOSE {}", ports.join(" ")));
    let user = instruction("USER ").strip_prefix("USER ").unwrap();
    assert!(user.split(':').all(|it| it.parse::<u32>().is_ok_and(|it| it > 0)), "{user}");
}

#[test]
fn the_pod_is_probed_where_it_listens() {
    let deployment = yaml("packaging/kubernetes/sidecar.yaml");
    let pod = &deployment["spec"]["template"];
    let sidecar = &pod["spec"]["initContainers"][0];
    let arguments = strings(&sidecar["args"]);
    assert!(matches!(parsed(&arguments), Command::Serve(_)));
    let admin = port(value(&arguments, "--admin-listen"));
    let named = &sidecar["ports"][0];
    assert_eq!(named["containerPort"].as_i64().unwrap().to_string(), admin);
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let probe = &sidecar[probe]["httpGet"];
        assert_eq!(probe["port"], named["name"]);
        assert!(matches!(probe["path"].as_str(), Some("/health" | "/ready")), "{probe:?}");
    }
    let scraped = &pod["metadata"]["annotations"]["prometheus.io/port"];
    assert_eq!(scraped.as_str(), Some(admin));
    let asked = pod["spec"]["containers"][0]["env"][0]["value"].as_str().unwrap();
    assert_eq!(asked, format!("http://{}/api/v1", value(&arguments, "--listen")));
    let mount = sidecar["volumeMounts"][0]["mountPath"].as_str().unwrap();
    keeps_on(mount, &arguments);
    fits(sidecar["resources"]["limits"]["memory"].as_str().unwrap(), &arguments);
    let labels = &deployment["spec"]["selector"]["matchLabels"];
    assert_eq!(labels, &pod["metadata"]["labels"]);
}

#[test]
fn the_unit_starts_the_command() {
    let (unit, environment) =
        (text("packaging/systemd/vexilla.service"), text("packaging/systemd/vexilla.env"));
    let start = unit.lines().find_map(|it| it.strip_prefix("ExecStart=")).unwrap();
    let url = environment.lines().find_map(|it| it.strip_prefix("FLAGR_URL=")).unwrap();
    let words: Vec<_> =
        start.replace("${FLAGR_URL}", url).split(' ').skip(1).map(str::to_owned).collect();
    assert!(matches!(parsed(&words), Command::Serve(_)));
    assert_eq!(value(&words, "--flagr"), url);
    let state = unit.lines().find_map(|it| it.strip_prefix("StateDirectory=")).unwrap();
    keeps_on(&format!("/var/lib/{state}"), &words);
    fits(unit.lines().find_map(|it| it.strip_prefix("MemoryMax=")).unwrap(), &words);
    assert!(unit.lines().any(|it| it == "ExecReload=/bin/kill -HUP $MAINPID"));
}

/// As far as there is somebody to ask.
#[test]
fn systemd_takes_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vexilla.service");
    // The command need not be installed here.
    let unit = text("packaging/systemd/vexilla.service").replace("/usr/bin/vexilla", "/bin/sh");
    fs::write(&file, unit).unwrap();
    let Ok(said) = Process::new("systemd-analyze").arg("verify").arg(&file).output() else {
        return;
    };
    let complaints = String::from_utf8_lossy(&said.stderr);
    let of_ours: Vec<_> = complaints.lines().filter(|it| it.contains("vexilla.service")).collect();
    assert!(of_ours.is_empty(), "{complaints}");
}

#[test]
fn each_variable_is_read_by_the_command() {
    let known = text("crates/vexilla-cli/src/config.rs");
    // The reference is written from the settings.
    let reference = fs::read_to_string(root().join("docs/configuration.md")).unwrap_or_default();
    let known = &variables(&known) | &variables(&reference);
    let mut paths = pages();
    paths.extend(["compose.yaml".to_owned(), "Dockerfile".to_owned()]);
    files("packaging", &mut paths);
    let mut seen = BTreeSet::new();
    for path in paths {
        for variable in variables(&text(&path)) {
            assert!(known.contains(variable), "{path}: nobody reads {variable}");
            seen.insert(variable.to_owned());
        }
    }
    assert!(seen.len() > 3, "{seen:?}");
}

/// The lines of the blocks of `sh`, joined where a backslash ends one.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line == "```sh" {
            let block: Vec<_> = lines.by_ref().take_while(|it| *it != "```").collect();
            let block = block.join("\n").replace("\\\n", " ");
            commands.extend(block.lines().map(str::to_owned));
        }
    }
    commands
}

/// The words of a command as a shell splits it, without what redirects its output.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in command.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    let end = words.iter().position(|it| matches!(&**it, ">" | "|" | "&&" | "||" | "#"));
    words.truncate(end.unwrap_or(words.len()));
    words
}

#[test]
fn the_docs_show_commands_that_are_understood() {
    let mut seen = BTreeSet::new();
    for path in pages() {
        for command in commands(&text(&path)) {
            let words = words(&command);
            let skipped = words.iter().take_while(|it| it.starts_with("VEXILLA_")).count();
            if words.get(skipped).is_some_and(|it| it == "vexilla") {
                parsed(&words[skipped + 1..]);
                seen.extend(words.get(skipped + 1).cloned());
            }
        }
    }
    for command in ["serve", "eval", "explain", "check", "verify", "export", "health"] {
        assert!(seen.contains(command), "the docs never show `vexilla {command}`");
    }
}
