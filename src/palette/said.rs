//! Texts that Palette wrote, or whoever configured it: what they assign to a password is none of the reader's business.

use crate::answer::{redact, sanitise};

/// One line of it, of so many characters, without what is assigned to secret-looking names in it and without what is
/// shaped like a credential.
pub fn said(text: &str, longest: usize) -> String {
    sanitise::short(&redact::text(text), longest)
}

/// The same of an address, without who logs in there.
pub fn address(text: &str, longest: usize) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let bare = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    said(&format!("{scheme}{bare}"), longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_assigned_to_a_password_is_not_told_and_a_text_is_one_line() {
        let told = said("login failed,\n password: hunter2planted", 80);
        assert!(told.starts_with("login failed, password: ") && !told.contains("planted"), "{told}");
        assert_eq!(said("nothing to hide: 3 of 4", 80), "nothing to hide: 3 of 4");
    }

    #[test]
    fn an_address_tells_where_and_not_who() {
        for (written, told) in [
            ("https://admin:planted@grafana.example.com/x", "https://grafana.example.com/x"),
            ("https://planted@grafana.example.com", "https://grafana.example.com"),
            ("admin:pla/nted@10.0.0.1:443", "10.0.0.1:443"),
            ("grafana.example.com:443,80", "grafana.example.com:443,80"),
        ] {
            assert_eq!(address(written, 80), told);
        }
        assert!(!address("https://a.example.com/?token=planted-1", 80).contains("planted"));
    }
}
