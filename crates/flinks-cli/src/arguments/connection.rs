//! The options that are settings: each command has those of the hosts that it calls.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::marker::PhantomData;
use std::ops::Deref;
use std::path::PathBuf;

use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

use crate::settings::table::{Group, SETTINGS, Setting, Value};

/// The settings that were given as options, and `--allow-http`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Flags {
    values: BTreeMap<&'static str, OsString>,
    pub(crate) allow_http: bool,
}

impl Flags {
    /// Whether any of these options was given.
    pub(crate) fn is_given(&self) -> bool {
        *self != Self::default()
    }

    /// Returns the value of the setting's option.
    pub(crate) fn value(&self, setting: &Setting) -> Option<&OsString> {
        self.values.get(setting.key)
    }

    #[cfg(test)]
    pub(crate) fn with(mut self, setting: &Setting, value: impl Into<OsString>) -> Self {
        self.values.insert(setting.key, value.into());
        self
    }
}

/// The calls of a command, which decide what settings it uses.
pub(crate) trait Calls {
    const GROUPS: &'static [Group];

    /// Returns the heading of a group of options.
    fn heading(group: Group) -> &'static str {
        group.heading()
    }
}

/// Uploads, and the fraud analysis for `--wait`.
#[derive(Debug)]
pub(crate) enum UploadAndFraud {}

impl Calls for UploadAndFraud {
    const GROUPS: &'static [Group] = &[
        Group::UploadHost,
        Group::ResultsHost,
        Group::FraudAnalysis,
        Group::Network,
    ];

    fn heading(group: Group) -> &'static str {
        match group {
            Group::ResultsHost => "Settings of the results host, for --wait",
            Group::UploadHost
            | Group::FraudAnalysis
            | Group::LegacyApi
            | Group::Network
            | Group::Program
            | Group::Webhooks => group.heading(),
        }
    }
}

/// The fraud analysis.
#[derive(Debug)]
pub(crate) enum FraudAnalysis {}

impl Calls for FraudAnalysis {
    const GROUPS: &'static [Group] = &[Group::ResultsHost, Group::FraudAnalysis, Group::Network];
}

/// The legacy API.
#[derive(Debug)]
pub(crate) enum LegacyApi {}

impl Calls for LegacyApi {
    const GROUPS: &'static [Group] = &[Group::ResultsHost, Group::LegacyApi, Group::Network];
}

/// Calls of every kind.
#[derive(Debug)]
pub(crate) enum Every {}

impl Calls for Every {
    const GROUPS: &'static [Group] = &[
        Group::UploadHost,
        Group::ResultsHost,
        Group::FraudAnalysis,
        Group::LegacyApi,
        Group::Network,
    ];
}

/// The options for the settings of a command that makes these calls.
#[derive(Debug)]
pub(crate) struct Connection<C> {
    flags: Flags,
    calls: PhantomData<C>,
}

impl<C> Deref for Connection<C> {
    type Target = Flags;

    fn deref(&self) -> &Flags {
        &self.flags
    }
}

impl<C: Calls> Connection<C> {
    /// Returns the settings that have an option.
    fn settings() -> impl Iterator<Item = (&'static Setting, Arg)> {
        let used = SETTINGS.iter().filter(|it| C::GROUPS.contains(&it.group));
        used.filter_map(|setting| Some((setting, argument(setting, C::heading(setting.group))?)))
    }
}

fn argument(setting: &Setting, heading: &'static str) -> Option<Arg> {
    let argument = Arg::new(setting.key)
        .long(setting.option()?)
        .value_name(setting.value_name()?)
        .help(help(setting))
        .help_heading(heading);
    Some(match setting.value {
        Value::Path(_) => argument.value_parser(value_parser!(PathBuf)),
        Value::Text(_) | Value::Secret | Value::SecretWithOption(_) => argument,
    })
}

fn help(setting: &Setting) -> String {
    let default = setting
        .default
        .map(|default| format!(" [default: {default}]"));
    format!(
        "{} [env: {}]{}",
        setting.meaning,
        setting.variable(),
        default.unwrap_or_default()
    )
}

impl<C: Calls> Args for Connection<C> {
    fn augment_args(command: Command) -> Command {
        let allow_http = Arg::new("allow_http")
            .long("allow-http")
            .action(ArgAction::SetTrue)
            .help("Accept a base URL with plain http for a loopback host")
            .help_heading(Group::Network.heading());
        command
            .args(Self::settings().map(|(_, argument)| argument))
            .arg(allow_http)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<C: Calls> FromArgMatches for Connection<C> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut values = BTreeMap::new();
        for (setting, _) in Self::settings() {
            let value = match setting.value {
                Value::Path(_) => matches.get_one::<PathBuf>(setting.key).map(OsString::from),
                Value::Text(_) | Value::Secret | Value::SecretWithOption(_) => {
                    matches.get_one::<String>(setting.key).map(OsString::from)
                }
            };
            values.extend(value.map(|value| (setting.key, value)));
        }
        let allow_http = matches.get_flag("allow_http");
        Ok(Self {
            flags: Flags { values, allow_http },
            calls: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
