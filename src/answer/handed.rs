//! [`Handed`]: credentials that an answer hands out because that is what was asked for. They pass by the redaction
//! that every answer goes through, here and nowhere else.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::Finished;
use crate::{Error, ErrorKind};

/// How credentials may be handed out to whoever asks, which is the door's to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handing {
    /// As a file: who asks shares this machine's files with us.
    File,
    /// In the answer, for who asks for that: the operator allows it.
    Content,
    /// Not at all.
    #[default]
    Withheld,
}

/// What an answer hands out.
#[derive(Clone, Debug)]
pub struct Handed {
    /// What, and how, in words for the audit log.
    pub what: &'static str,
    /// Where it is in the answer itself: the member of the structure that holds it, and the text.
    pub content: Option<(&'static str, SecretString)>,
}

impl Handed {
    /// Something that is not in the answer, or is no secret.
    pub fn apart(what: &'static str) -> Self {
        Self { what, content: None }
    }
}

impl Finished {
    /// With what was handed out: appended as it is to the text and the structure, once both were redacted.
    ///
    /// # Errors
    /// A defect: the tool's contract does not say `sensitive: credentials`.
    pub(crate) fn with_handed(mut self, handed: Option<Handed>, may: bool) -> Result<Self, Error> {
        let Some(handed) = handed else { return Ok(self) };
        if !may {
            return Err(Error::new(ErrorKind::Internal, "this tool hands out no credentials"));
        }
        self.handed = Some(handed.what);
        if let (Some((member, content)), Value::Object(structure)) = (&handed.content, &mut self.structure) {
            let content = content.expose_secret();
            self.text.push('\n');
            self.text.push_str(content.trim_end());
            structure.insert((*member).to_owned(), content.into());
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::answer::{Answer, Budget, finish, redact::Learned};

    const KEY: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";

    fn finished() -> Finished {
        let answer = Answer::new(format!("summary {KEY}"), "", json!({"other": KEY}));
        finish(&answer, &Learned::default(), Budget { rows: 1, bytes: 10_000 }).expect("JSON")
    }

    fn handed() -> Option<Handed> {
        Some(Handed { what: "a token", content: Some(("token", KEY.to_owned().into())) })
    }

    #[test]
    fn only_what_is_handed_out_on_purpose_passes() {
        let finished = finished().with_handed(handed(), true).expect("it may");
        assert_eq!(finished.text, format!("summary <redacted>\n{KEY}"));
        assert_eq!(finished.structure, json!({"other": "<redacted>", "token": KEY}));
        assert_eq!(finished.handed, Some("a token"));
    }

    #[test]
    fn a_tool_that_does_not_declare_it_hands_out_nothing() {
        assert!(finished().with_handed(handed(), false).is_err());
        assert!(finished().with_handed(None, false).is_ok());
    }

    #[test]
    fn nothing_of_it_is_shown_to_who_debugs() {
        assert!(!format!("{:?}", handed()).contains("eyJ"));
    }
}
