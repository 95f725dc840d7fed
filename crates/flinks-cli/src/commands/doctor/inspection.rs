//! Recognizes TLS-inspecting proxies by the issuer of the certificate that they present.

/// A part of the issuer's name, in lower case, and the product.
const PRODUCTS: [(&str, &str); 26] = [
    ("zscaler", "Zscaler"),
    ("netskope", "Netskope"),
    ("goskope", "Netskope"),
    ("palo alto", "Palo Alto Networks"),
    ("fortinet", "Fortinet FortiGate"),
    ("fortigate", "Fortinet FortiGate"),
    ("blue coat", "Blue Coat"),
    ("bluecoat", "Blue Coat"),
    ("symantec web security", "Symantec Web Security"),
    ("cloud services ca", "Symantec Web Security"),
    ("cisco umbrella", "Cisco Umbrella"),
    ("cisco secure access", "Cisco Secure Access"),
    ("sophos", "Sophos"),
    ("mcafee", "McAfee Web Gateway"),
    ("skyhigh", "Skyhigh Web Gateway"),
    ("check point", "Check Point"),
    ("checkpoint", "Check Point"),
    ("forcepoint", "Forcepoint"),
    ("websense", "Forcepoint"),
    ("cloudflare gateway", "Cloudflare Gateway"),
    ("barracuda", "Barracuda"),
    ("kaspersky", "Kaspersky"),
    ("mitmproxy", "mitmproxy"),
    ("squid", "Squid"),
    ("ssl inspection", "SSL inspection"),
    ("tls inspection", "TLS inspection"),
];

/// Returns the product whose authority issued a certificate, if the issuer's name shows it.
pub(super) fn product(issuer: &str) -> Option<&'static str> {
    let issuer = issuer.to_lowercase();
    let known = PRODUCTS.iter().find(|(part, _)| issuer.contains(part));
    known.map(|(_, product)| *product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_known_by_their_issuers() {
        let rows = [
            (
                "CN=Zscaler Intermediate Root CA (zscaler.net), O=Zscaler Inc.",
                Some("Zscaler"),
            ),
            (
                "CN=FG100D, O=Fortinet, OU=Certificate Authority",
                Some("Fortinet FortiGate"),
            ),
            ("CN=mitmproxy, O=mitmproxy", Some("mitmproxy")),
            ("CN=Corp SSL Inspection CA", Some("SSL inspection")),
            ("CN=R11, O=Let's Encrypt, C=US", None),
            ("CN=GlobalSign RSA OV SSL CA 2018, O=GlobalSign nv-sa", None),
        ];
        for (issuer, name) in rows {
            assert_eq!(product(issuer), name, "{issuer}");
        }
    }
}
