//! Label selectors, all that the API server takes: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, `a>1`.

use serde_json::Value;

/// A longer selector is not read.
const LONGEST: usize = 2_000;

/// The requirements of a label selector, each of which must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelSelector(Vec<Requirement>);

/// A text that is no label selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unable to parse requirement: in '{0}'")]
pub struct Unparsable(String);

#[derive(Clone, Debug, PartialEq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    /// Also true of an object without the label.
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

impl LabelSelector {
    /// Reads a selector; the empty one selects everything.
    ///
    /// # Errors
    /// The API server would not take it, or it is far longer than any that it takes.
    pub fn parse(selector: &str) -> Result<Self, Unparsable> {
        let unparsable = || Unparsable(crate::answer::sanitise::short(selector, 120));
        if selector.len() > LONGEST {
            return Err(unparsable());
        }
        let mut tokens = Tokens(lex(selector));
        let mut requirements = Vec::new();
        while !tokens.0.is_empty() {
            requirements.push(requirement(&mut tokens).ok_or_else(unparsable)?);
        }
        Ok(Self(requirements))
    }

    /// Whether every requirement holds of an object with these `metadata.labels`.
    pub fn matches(&self, labels: Option<&Value>) -> bool {
        self.0.iter().all(|requirement| {
            let label = labels.and_then(|labels| labels.get(&requirement.key)).and_then(Value::as_str);
            let number = label.and_then(|label| label.parse::<i64>().ok());
            match &requirement.test {
                Test::Exists => label.is_some(),
                Test::Absent => label.is_none(),
                Test::In(values) => label.is_some_and(|label| values.iter().any(|value| value == label)),
                Test::NotIn(values) => label.is_none_or(|label| values.iter().all(|value| value != label)),
                Test::Above(bound) => number.is_some_and(|number| number > *bound),
                Test::Below(bound) => number.is_some_and(|number| number < *bound),
            }
        })
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What is still to be read, the next one last.
struct Tokens(Vec<String>);

impl Tokens {
    fn next(&mut self) -> Option<String> {
        self.0.pop()
    }

    fn next_is(&mut self, token: &str) -> bool {
        let found = self.peek() == Some(token);
        if found {
            self.next();
        }
        found
    }

    fn peek(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// The comma after a requirement, which something must follow, or the end.
    fn end(&mut self) -> Option<()> {
        match self.next().as_deref() {
            None => Some(()),
            Some(",") => self.peek().map(drop),
            Some(_) => None,
        }
    }
}

fn lex(selector: &str) -> Vec<String> {
    const SYMBOLS: &str = "()!,=<>";
    let mut tokens: Vec<String> = Vec::new();
    let mut joins = false; // whether the next letter may belong to the last token
    for letter in selector.chars() {
        let symbol = SYMBOLS.contains(letter);
        match tokens.last_mut() {
            _ if letter.is_whitespace() => {}
            Some(last) if joins && !symbol && !last.starts_with(|c| SYMBOLS.contains(c)) => last.push(letter),
            Some(last) if joins && letter == '=' && matches!(last.as_str(), "=" | "!") => last.push('='),
            _ => tokens.push(letter.to_string()),
        }
        joins = !letter.is_whitespace();
    }
    tokens.reverse();
    tokens
}

fn requirement(tokens: &mut Tokens) -> Option<Requirement> {
    let absent = tokens.next_is("!");
    let key = tokens.next().filter(|key| is_key(key))?;
    if absent || matches!(tokens.peek(), None | Some(",")) {
        tokens.end()?;
        return Some(Requirement { key, test: if absent { Test::Absent } else { Test::Exists } });
    }
    let test = match tokens.next()?.as_str() {
        "=" | "==" => Test::In(vec![value(tokens)?]),
        "!=" => Test::NotIn(vec![value(tokens)?]),
        "in" => Test::In(values(tokens)?),
        "notin" => Test::NotIn(values(tokens)?),
        ">" => Test::Above(value(tokens)?.parse().ok()?),
        "<" => Test::Below(value(tokens)?.parse().ok()?),
        _ => return None,
    };
    tokens.end()?;
    Some(Requirement { key, test })
}

fn value(tokens: &mut Tokens) -> Option<String> {
    if matches!(tokens.peek(), None | Some(",")) {
        return Some(String::new());
    }
    tokens.next().filter(|value| is_value(value))
}

fn values(tokens: &mut Tokens) -> Option<Vec<String>> {
    tokens.next_is("(").then_some(())?;
    let mut values = vec![String::new()];
    loop {
        match tokens.next()?.as_str() {
            ")" => return Some(values),
            "," => values.push(String::new()),
            value if is_value(value) => match values.last_mut() {
                Some(last) if last.is_empty() => value.clone_into(last),
                _ => return None,
            },
            _ => return None,
        }
    }
}

fn is_key(key: &str) -> bool {
    let (prefix, name) = key.rsplit_once('/').unwrap_or(("prefix", key));
    let domain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter);
    !name.is_empty()
        && is_value(name)
        && !prefix.is_empty()
        && prefix.len() <= 253
        && prefix.chars().all(domain)
}

fn is_value(value: &str) -> bool {
    let ends = value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.ends_with(|c: char| c.is_ascii_alphanumeric());
    value.is_empty()
        || value.len() <= 63 && ends && value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_api_server_takes_is_taken_and_nothing_else() {
        let labels = json!({"app": "web", "tier": "a", "replicas": "3", "x.io/y": ""});
        let matches = |selector: &str| {
            LabelSelector::parse(selector).unwrap_or_else(|why| panic!("{why}")).matches(Some(&labels))
        };
        for held in [
            "",
            "app=web",
            "app==web,tier in (a, b)",
            "tier notin (b),!no",
            "app,x.io/y=",
            "replicas>2,no!=z",
        ] {
            assert!(matches(held), "{held}");
        }
        for broken in ["app=api", "tier in (b)", "!app", "replicas<3", "no"] {
            assert!(!matches(broken), "{broken}");
        }
        for odd in
            ["=", "app=web=x", "app in web", "app in (web", "a=b,", "app=we/b", "app=web;", "-a", "a > b"]
        {
            assert!(LabelSelector::parse(odd).is_err(), "{odd}");
        }
        assert!(LabelSelector::parse(&"a,".repeat(LONGEST)).is_err());
        assert!(LabelSelector::default().matches(None) && LabelSelector::default().is_empty());
    }
}
