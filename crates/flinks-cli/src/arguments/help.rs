//! The end of each command's help: the secrets that it reads, and examples; and `flinks help settings`.

use crate::arguments::connection::Calls;
use crate::settings::table::{SETTINGS, Setting};

/// Returns the end of the help of a command that makes these calls.
pub(crate) fn end<C: Calls>(examples: &[&str]) -> String {
    let used = SETTINGS.iter().filter(|it| C::GROUPS.contains(&it.group));
    let secrets: String = used
        .filter(|setting| setting.option().is_none())
        .map(|setting| format!("  {}: {}\n", setting.variable(), setting.meaning))
        .collect();
    format!(
        "Secrets have no option; each can also be in a file whose path is in the variable …_FILE:\n\
         {secrets}  `flinks help settings` describes every setting, and the settings file.\n\n{}",
        examples_of(examples)
    )
}

/// Returns the examples of a command.
pub(crate) fn examples_of(examples: &[&str]) -> String {
    let lines: Vec<_> = examples.iter().map(|line| format!("  {line}")).collect();
    format!("Examples:\n{}", lines.join("\n"))
}

/// Returns the text of `flinks help settings`.
pub(crate) fn settings() -> String {
    let mut text = INTRODUCTION.to_owned();
    let mut group = None;
    for setting in SETTINGS {
        if group.replace(setting.group) != Some(setting.group) {
            text.push_str(&format!("\n\n{}:", setting.group.heading()));
        }
        text.push_str(&entry(setting));
    }
    text.push_str("\n\n");
    text.push_str(PROXY);
    text
}

fn entry(setting: &Setting) -> String {
    let mut names = setting.variable();
    let mut facts = Vec::new();
    if let (Some(option), Some(value)) = (setting.option(), setting.value_name()) {
        facts.push(format!("option --{option} {value}"));
    }
    if setting.is_secret() {
        names = format!("{names}, or {names}_FILE");
    }
    if setting.is_in_file() {
        let file_key = setting.file_key().map(|key| format!(" or {key}"));
        facts.push(format!(
            "key {}{}",
            setting.key,
            file_key.unwrap_or_default()
        ));
    }
    facts.extend(setting.default.map(|default| format!("default {default}")));
    let facts = facts.join("; ");
    let facts = if facts.is_empty() {
        facts
    } else {
        format!("\n      {facts}")
    };
    format!("\n  {names}\n      {}{facts}", setting.meaning)
}

const INTRODUCTION: &str = "\
Each setting is read from the first of these that has it: its option, its environment variable, the \
chosen profile in the settings file, the keys above all profiles in that file.

A secret has no option, because other users of the machine can see options. The variable …_FILE, or \
the key …_file, gives the path of a file that holds the secret.

The settings file is TOML: key = \"value\". Relative paths in it start at its folder. Tables \
[profile.NAME] hold the keys of profiles; --profile NAME takes one, with the keys above all profiles, \
and never reads another profile's keys. `flinks config init` writes a file with every key, and \
`flinks config show` shows where each setting comes from.

FLINKS_API_URL and FLINKS_INSTANCE name the same host: the one that is read first counts, and both \
in one place are an error. --allow-http accepts http:// for a host on this machine.";

const PROXY: &str = "\
A proxy is http://[user:password@]host:port, https://… if the proxy itself is reached over TLS, or \
`none`; --proxy takes no password. Without it the first of https_proxy, HTTPS_PROXY, all_proxy and \
ALL_PROXY is used. In both cases the hosts in no_proxy or NO_PROXY are reached directly, as by curl: \
names, addresses, networks such as 10.0.0.0/8, each also with :port, or *.";
