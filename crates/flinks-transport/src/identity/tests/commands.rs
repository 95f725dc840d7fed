//! Every `openssl` command that a message prints is run, and what it writes is loaded.

use std::path::Path;
use std::process::{Command, Stdio};

use super::*;

/// A file that cannot be used, and how the commands call it.
struct Refused {
    case: &'static str,
    name: &'static str,
    content: Vec<u8>,
}

const PASSWORD: &str = "opensesame";

fn openssl(folder: &Path, command: &str) -> bool {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap();
    let output = Command::new(program)
        .args(words.map(|word| if word == "''" { "" } else { word }))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{command}: {errors}");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{command}");
            false
        }
    }
}

/// The command between backticks, where names of features stand as well.
fn command(message: &str) -> &str {
    let mut quoted = message.split('`').skip(1).step_by(2);
    quoted
        .find(|text| text.contains(' '))
        .unwrap_or_else(|| panic!("no command: {message}"))
}

fn written(command: &str) -> &str {
    let mut words = command.split_whitespace();
    words.find(|word| *word == "-out" || *word == "-f").unwrap();
    words.next().unwrap()
}

#[test]
fn commands_of_messages_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if !openssl(folder, "openssl version") {
        println!("skipped: there is no openssl");
        return;
    }
    let key = openssl::P256_PKCS8;
    std::fs::write(folder.join("plain.pem"), key).unwrap();
    std::fs::write(folder.join("certificate.pem"), openssl::P256_VERSION_1).unwrap();
    let make = |command: &str, name: &str| {
        assert!(openssl(folder, command));
        std::fs::read(folder.join(name)).unwrap()
    };
    let password = Secret::new(PASSWORD);
    let keys = [
        Refused {
            case: "old form",
            name: "client.key",
            content: make(
                "openssl ec -in plain.pem -aes128 -passout pass:opensesame -out old.key",
                "old.key",
            ),
        },
        Refused {
            case: "old form with DES",
            name: "client.key",
            content: make(
                "openssl ec -provider legacy -provider default -in plain.pem -des \
                 -passout pass:opensesame -out old-des.key",
                "old-des.key",
            ),
        },
        Refused {
            case: "PKCS#8",
            name: "client.key",
            content: make(
                "openssl pkcs8 -topk8 -in plain.pem -passout pass:opensesame -out new.key",
                "new.key",
            ),
        },
        #[cfg(feature = "pfx")]
        Refused {
            case: "PKCS#8 with DES",
            name: "client.key",
            content: make(
                "openssl pkcs8 -provider legacy -provider default -topk8 -v1 PBE-MD5-DES \
                 -in plain.pem -passout pass:opensesame -out des.key",
                "des.key",
            ),
        },
        #[cfg(feature = "pfx")]
        Refused {
            case: "PKCS#8 with Camellia",
            name: "client.key",
            content: make(
                "openssl pkcs8 -topk8 -v2 camellia256 -in plain.pem -passout pass:opensesame \
                 -out camellia.key",
                "camellia.key",
            ),
        },
        #[cfg(feature = "pfx")]
        Refused {
            case: "PKCS#8 with RC2",
            name: "client.key",
            content: make(
                "openssl pkcs8 -provider legacy -provider default -topk8 -v2 rc2-cbc \
                 -in plain.pem -passout pass:opensesame -out rc2.key",
                "rc2.key",
            ),
        },
        #[cfg(feature = "pfx")]
        Refused {
            case: "RC2 under PBES2",
            name: "client.pfx",
            content: make(
                "openssl pkcs12 -export -legacy -keypbe rc2-cbc -certpbe rc2-cbc \
                 -in certificate.pem -inkey plain.pem -passout pass:opensesame -out rc2-2.pfx",
                "rc2-2.pfx",
            ),
        },
        #[cfg(feature = "pfx")]
        Refused {
            case: "Camellia",
            name: "client.pfx",
            content: make(
                "openssl pkcs12 -export -keypbe CAMELLIA-256-CBC -certpbe CAMELLIA-256-CBC \
                 -in certificate.pem -inkey plain.pem -passout pass:opensesame -out camellia.pfx",
                "camellia.pfx",
            ),
        },
        #[cfg(feature = "pfx")]
        Refused {
            case: "checksum of MD5",
            name: "client.pfx",
            content: make(
                "openssl pkcs12 -export -macalg md5 -in certificate.pem -inkey plain.pem \
                 -passout pass:opensesame -out md5.pfx",
                "md5.pfx",
            ),
        },
        #[cfg(feature = "pfx")]
        Refused {
            case: "RC2",
            name: "client.pfx",
            content: make(
                "openssl pkcs12 -export -legacy -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-RC2-128 \
                 -in certificate.pem -inkey plain.pem -passout pass:opensesame -out rc2.pfx",
                "rc2.pfx",
            ),
        },
        #[cfg(feature = "pfx")]
        Refused {
            case: "RC4",
            name: "client.pfx",
            content: make(
                "openssl pkcs12 -export -legacy -keypbe PBE-SHA1-RC4-128 -certpbe PBE-SHA1-RC4-128 \
                 -in certificate.pem -inkey plain.pem -passout pass:opensesame -out rc4.pfx",
                "rc4.pfx",
            ),
        },
        #[cfg(not(feature = "pfx"))]
        Refused {
            case: "PKCS#12",
            name: "client.pfx",
            content: make(
                "openssl pkcs12 -export -in certificate.pem -inkey plain.pem \
                 -passout pass:opensesame -out client.pfx",
                "client.pfx",
            ),
        },
    ];
    for Refused {
        case,
        name,
        content,
    } in keys
    {
        let given = folder.join(name);
        std::fs::write(&given, content).unwrap();
        let certificate = folder.join("certificate.pem");
        // The password is withheld where giving it would do, and that is not the case.
        let password_given = (case != "PKCS#8").then_some(&password);
        let error =
            ClientIdentity::from_files(&certificate, Some(&given), password_given).expect_err(case);
        let text = error.to_string();
        let command = command(&text);
        assert!(command.contains(name), "{case}: {text}");
        let needs_new = command.contains("-topk8") && !command.contains("-nocrypt");
        let passwords = if needs_new {
            "-passin pass:opensesame -passout pass:opensesame"
        } else {
            "-passin pass:opensesame"
        };
        openssl(folder, &format!("{command} {passwords}"));
        let made = folder.join(written(command));
        let loaded = ClientIdentity::from_files(&certificate, Some(&made), Some(&password));
        loaded.unwrap_or_else(|error| panic!("{case}: {error}"));
    }
}

#[test]
fn the_command_for_roots_in_pkcs12_works() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if !openssl(folder, "openssl version") {
        println!("skipped: there is no openssl");
        return;
    }
    let made = made();
    std::fs::write(folder.join("root.pem"), &made.root).unwrap();
    openssl(
        folder,
        "openssl pkcs12 -export -nokeys -in root.pem -passout pass:opensesame -out ca.pfx",
    );
    let error = crate::Roots::pem_file(folder.join("ca.pfx")).unwrap_err();
    let text = error.to_string();
    let command = command(&text);
    openssl(folder, &format!("{command} -passin pass:opensesame"));
    crate::Roots::pem_file(folder.join(written(command))).unwrap();
}

#[test]
fn the_command_for_openssh_keys_works() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if !openssl(folder, "ssh-keygen -q -t ecdsa -b 256 -N '' -f client.key") {
        println!("skipped: there is no ssh-keygen");
        return;
    }
    let made = made();
    std::fs::write(folder.join("certificate.pem"), &made.certificate).unwrap();
    let load = || {
        ClientIdentity::from_pem_files(folder.join("certificate.pem"), folder.join("client.key"))
            .unwrap_err()
    };
    let text = load().to_string();
    openssl(folder, command(&text));
    // It is a key now, though not the one of this certificate.
    assert_eq!(load().kind(), Kind::KeyMismatch);
}
