//! `flinks config`: writes a settings file, and shows where each setting comes from.

use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::arguments::{Config, ConfigAction, Flags};
use crate::context::Context;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::{io_error, write_stderr};
use crate::settings::table::{API_URL, INSTANCE, PROXY, SETTINGS, Setting};
use crate::settings::{Settings, Source, is_profile_name, template, unknown_variables};
use crate::state::files::{self, Existing};

/// Runs the action.
pub(crate) fn run(arguments: &Config, context: &Context) -> Result<Exit, CliError> {
    match arguments.action {
        ConfigAction::Init => init(context),
        ConfigAction::Show => show(context),
    }
}

fn init(context: &Context) -> Result<Exit, CliError> {
    let profile = context.profile.as_deref();
    if profile.is_some_and(|name| !is_profile_name(name)) {
        return Err(CliError::usage(
            "--profile: a profile's name is made of up to 40 letters, digits, - and _",
        ));
    }
    let place = context.settings_place()?;
    let Some(file) = place.file() else {
        return Err(CliError::settings(
            "there is no folder for a settings file: name the file with --config",
        ));
    };
    let text = template::text(profile);
    let folder = file.value.parent().unwrap_or_else(|| Path::new(""));
    let written = files::make_folder(folder)
        .and_then(|()| files::write(&file.value, text.as_bytes(), Existing::Keep));
    written.map_err(|error| match (error.kind(), profile) {
        (io::ErrorKind::AlreadyExists, None) => file.invalid(
            "the settings file exists, and is never overwritten; `flinks config show` shows what it \
             sets",
        ),
        (io::ErrorKind::AlreadyExists, Some(name)) => file.invalid(format!(
            "the settings file exists, and is never overwritten: add a table [profile.{name}] to it"
        )),
        _ => file.invalid(io_error::reason(&error)),
    })?;
    let (shown, output) = (place.shown(), context.output);
    output.text(&format!(
        "{}  {shown}   (only you can read it)\n\
         Remove the # in front of the settings that you use, and give their values.\n\
         Then check them with `flinks config show` and `flinks doctor`.\n",
        output.bold("settings file"),
    ))?;
    output.object(&json!({ "file": shown, "profile": profile }))?;
    Ok(Exit::Done)
}

fn show(context: &Context) -> Result<Exit, CliError> {
    let source = context.source()?;
    let settings = Settings::read(&source, &Flags::default())?;
    let names = std::env::vars_os().map(|(name, _)| name);
    for warning in unknown_variables(names).iter().chain(&settings.warnings) {
        write_stderr(&format!("warning: {warning}\n"));
    }
    let (file, profile) = (source.file(), source.profile());
    let mut text = format!("settings file: {}\n", file.as_deref().unwrap_or("none"));
    if let Some(profile) = profile {
        text.push_str(&format!("profile: {profile}\n"));
    }
    let mut origins = Map::new();
    for setting in SETTINGS.iter().filter(|setting| setting.is_in_file()) {
        let variable = setting.variable();
        let origin = origin(setting, &source, &settings)?;
        let state = match (&origin, setting.default) {
            (Some(origin), _) => format!("set by {origin}"),
            (None, Some(default)) => format!("default: {default}"),
            (None, None) => "not set".to_owned(),
        };
        text.push_str(&format!("{variable}: {state}\n"));
        let default = setting.default.filter(|_| origin.is_none());
        origins.insert(variable, json!({ "set_by": origin, "default": default }));
    }
    let mut object = Map::from_iter([
        ("file".to_owned(), json!(file)),
        ("profile".to_owned(), json!(profile)),
        ("settings".to_owned(), Value::Object(origins)),
    ]);
    let hosts = [
        ("upload_host", settings.upload_endpoint()),
        ("results_host", settings.results_endpoint()),
    ];
    for (name, endpoint) in hosts {
        let url = endpoint.ok().map(|endpoint| endpoint.to_string());
        let shown = url.as_deref().unwrap_or("not set, or not valid");
        text.push_str(&format!("{}: {shown}\n", name.replace('_', " ")));
        object.insert(name.to_owned(), json!(url));
    }
    context.output.text(&text)?;
    context.output.object(&Value::Object(object))?;
    Ok(Exit::Done)
}

/// Returns the variable or the key that sets a setting.
fn origin(
    setting: &Setting,
    source: &Source,
    settings: &Settings,
) -> Result<Option<String>, CliError> {
    let found = source.find(setting, &Flags::default())?;
    let name = found.map(|found| found.name().to_owned());
    let unused = |is_read: bool| {
        name.clone().map(|name| match is_read {
            true => name,
            false => format!("{name}, but not used: the results host is named by a nearer setting"),
        })
    };
    Ok(match setting.key {
        key if key == API_URL.key => unused(settings.api_url.is_some()),
        key if key == INSTANCE.key => unused(settings.instance.is_some()),
        key if key == PROXY.key => settings.proxy.name().map(str::to_owned),
        _ => name,
    })
}
