//! [`Hidden`]: the sensitive values that a change carries. Palette may quote what it was sent.

use crate::{Error, toolbox::Call};

/// What sensitive values may have together, in bytes: each is looked for, in several forms, in all that is told.
pub const MOST: usize = 4 << 10;

/// Values that are shorter are not taken out of a text, which would leave nothing of it: the text is left out.
const SHORTEST: usize = 4;
const LEFT_OUT: &str = "(what Palette says is left out: it may quote a sensitive value)";

/// The sensitive values of one change. Its `Debug` tells none.
#[derive(Default)]
pub struct Hidden(Vec<String>);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hidden({})", self.0.len())
    }
}

impl Hidden {
    /// Of these values, which the call takes out of whatever it tells from now on.
    ///
    /// # Errors
    /// They are too long.
    pub fn new(call: &Call, values: impl IntoIterator<Item = String>) -> Result<Self, Error> {
        let mut values: Vec<String> = values.into_iter().filter(|value| !value.is_empty()).collect();
        if values.iter().map(String::len).sum::<usize>() > MOST {
            return Err(Error::invalid_input(format!(
                "the sensitive values of the arguments \"variables\" and \"spec\" have more than {MOST} bytes together"
            ))
            .next("set shorter ones, or set the long ones in Palette"));
        }
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.iter().for_each(|value| call.hold(value));
        Ok(Self(values))
    }

    /// A text without them.
    pub fn said(&self, text: &str) -> String {
        let told = self.0.iter().filter(|value| value.len() >= SHORTEST);
        let told = told.fold(text.to_owned(), |text, value| text.replace(value.as_str(), "<redacted>"));
        match self.0.iter().any(|value| value.len() < SHORTEST && told.contains(value.as_str())) {
            true => LEFT_OUT.to_owned(),
            false => told,
        }
    }

    /// An error whose words do not hold them.
    pub fn error(&self, error: Error) -> Error {
        Error { message: self.said(&error.message), ..error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_no_text_and_a_short_one_costs_the_text() {
        let hidden = Hidden(vec!["planted-value".to_owned(), "x7".to_owned()]);
        assert_eq!(hidden.said("'planted-value' is no value"), "'<redacted>' is no value");
        assert_eq!(hidden.said("'x7' is no value"), LEFT_OUT);
        assert_eq!(format!("{hidden:?}"), "Hidden(2)");
    }
}
