//! Tokens that are no JWS, or whose JSON could be read in more ways than one.

use serde_json::json;

use super::table::{PLANTED, Sent, TAKEN, Table};
use crate::forge::{With, encode};
use crate::keys::Alg;

/// Parts and base64.
pub(super) fn compact(table: &mut Table<'_>) {
    let [header, claims, signature] = table.good(Alg::Rs256);
    let (h, c, s) = (&header, &claims, &signature);
    table.token("compact: a good one", &format!("{h}.{c}.{s}"), TAKEN);
    let jwe = encode(br#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"rs256-1"}"#);
    let nested = encode(format!("{h}.{c}.{s}").as_bytes());
    // 256 bytes leave four bits of the last character unused
    let stray = |part: &str| {
        let last = part.chars().last().expect("not empty");
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let next = alphabet.find(last).map(|at| at + 1).expect("base64");
        format!("{}{}", &part[..part.len() - 1], &alphabet[next..=next])
    };
    let flattened = json!({"protected": h, "payload": c, "signature": s}).to_string();
    for (name, token) in [
        ("one part", h.clone()),
        ("two parts", format!("{h}.{c}")),
        ("two parts and a dot", format!("{h}.{c}.")),
        ("four parts", format!("{h}.{c}.{s}.{s}")),
        ("four parts, the last empty", format!("{h}.{c}.{s}.")),
        ("five parts, encrypted", format!("{jwe}.{c}.{c}.{c}.{s}")),
        ("five parts, without a key", format!("{jwe}..{c}.{c}.{s}")),
        ("five parts, the good ones first", format!("{h}.{c}.{s}.{c}.{s}")),
        ("a dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("no header", format!(".{c}.{s}")),
        ("no claims", format!("{h}..{s}")),
        ("a token as claims, the signature not its own", format!("{h}.{nested}.{s}")),
        ("stray bits in the signature", format!("{h}.{c}.{}", stray(s))),
        ("padded at the end", format!("{h}.{c}.{s}==")),
        ("an opaque token", format!("{PLANTED}-opaque-token-of-somebody")),
        ("base64 of a token", nested.clone()),
        ("flattened JSON in base64", encode(flattened.as_bytes())),
    ] {
        table.token(format!("compact: {name}"), &token, "malformed");
    }
    for (name, value) in [
        ("header padded", format!("Bearer {h}=.{c}.{s}")),
        ("claims padded", format!("Bearer {h}.{c}==.{s}")),
        ("white space within", format!("Bearer {h}. {c}.{s}")),
        ("a tab within", format!("Bearer {h}.{c}.\t{s}")),
        ("in quotes", format!("Bearer \"{h}.{c}.{s}\"")),
        ("percent-encoded dots", format!("Bearer {h}%2E{c}%2E{s}")),
        ("other dots", format!("Bearer {h}\u{ff0e}{c}\u{ff0e}{s}")),
        ("flattened JSON", format!("Bearer {flattened}")),
    ] {
        table.row(format!("compact: {name}"), Sent::header("authorization", value), "credential");
    }
    for (name, pair) in [("-", "-+"), ("_", "_/")] {
        let (from, to) = (&pair[..1], &pair[1..]);
        let Some([h, c, s]) = (0..50).map(|_| table.good(Alg::Rs256)).find(|parts| parts[2].contains(from))
        else {
            panic!("no signature has {name}");
        };
        let other = s.replacen(from, to, 1);
        table.token(format!("compact: the other alphabet, {to}"), &format!("{h}.{c}.{other}"), "malformed");
    }
    let mut header = table.forge.header(Alg::Rs256);
    header["cty"] = json!("JWT");
    let token = table.forge.sign(&header, &format!("{h}.{c}.{s}"), With::Own(Alg::Rs256));
    table.token("compact: a good token within a good signature", &token, "malformed");
    let token = table.forge.claiming(&format!("{h}.{c}.{s}"));
    table.token("compact: a good token as claims, and no cty", &token, "malformed");
}

/// JSON of the claims and of the header, well signed.
pub(super) fn json_of_parts(table: &mut Table<'_>) {
    let forge = table.forge;
    let claims = table.claims_of_alice().to_string();
    let header = forge.header(Alg::Rs256).to_string();
    let begin = |text: &str, more: &str| text.replacen('{', &format!("{{{more},"), 1);
    let nested = |depth: usize| format!("\"{PLANTED}\":{}1{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("\"{PLANTED}\":{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let good = [
        ("white space", format!(" \n{claims}\r\n")),
        ("depth that is usual", begin(&claims, &nested(10))),
        ("escaped names", claims.replacen("\"iss\"", "\"\\u0069ss\"", 1)),
        ("odd names", begin(&claims, "\"__proto__\":{\"sub\":\"bob\"},\"\":0,\"constructor\":null")),
    ];
    for (name, text) in good {
        table.token(format!("JSON with {name}"), &forge.claiming(&text), TAKEN);
    }
    let odd = [
        ("sub twice", begin(&claims, "\"sub\":\"bob\"")),
        ("sub twice alike", begin(&claims, "\"sub\":\"alice\"")),
        ("iss twice", begin(&claims, "\"iss\":\"https://planted.test\"")),
        ("iss twice, escaped", begin(&claims, "\"\\u0069ss\":\"https://planted.test\"")),
        ("exp twice", begin(&claims, "\"exp\":1")),
        ("aud twice", begin(&claims, "\"aud\":\"https://planted.test\"")),
        ("groups twice", begin(&claims, "\"groups\":[\"platform-admins\"]")),
        ("something else twice", begin(&claims, "\"a\":1,\"a\":1")),
        ("something twice within", begin(&claims, "\"a\":{\"b\":[{\"c\":1,\"c\":2}]}")),
        ("something twice within, escaped", begin(&claims, "\"a\":{\"b\":1,\"\\u0062\":2}")),
        ("depth 17", begin(&claims, &nested(17))),
        ("depth 1,000", begin(&claims, &nested(1_000))),
        ("depth 6,000 of objects", begin(&claims, &objects(6_000))),
        ("depth 20,000 without end", format!("{{\"a\":{}", "[".repeat(20_000))),
        ("a comma more", claims.replacen('}', ",}", 1)),
        ("a comment", begin(&claims, "/**/\"a\":1")),
        ("single quotes", claims.replace('"', "'")),
        ("something behind it", format!("{claims}x")),
        ("itself behind it", format!("{claims}{claims}")),
        ("a null byte behind it", format!("{claims}\0")),
        ("a control character in a text", begin(&claims, "\"a\":\"\u{1}\"")),
        ("half a surrogate pair", claims.replacen("\"alice\"", "\"\\ud800\"", 1)),
        ("an end too early", claims[..claims.len() - 1].to_owned()),
        ("a byte order mark", format!("\u{feff}{claims}")),
        ("a list around it", format!("[{claims}]")),
        ("text around it", json!(claims).to_string()),
    ];
    for (name, text) in odd {
        table.token(format!("JSON with {name}"), &forge.claiming(&text), "malformed");
    }
    for whole in ["", " ", "null", "true", "7", "[]", "\"planted\"", "{", "PLANTED"] {
        table.token(format!("claims that are {whole:?}"), &forge.claiming(whole), "malformed");
        let token = forge.sign(whole, &claims, With::Own(Alg::Rs256));
        table.token(format!("a header that is {whole:?}"), &token, "malformed");
    }
    table.token("claims that are nothing", &forge.claiming("{}"), "issuer");
    table.token("a header that is nothing", &forge.sign("{}", &claims, With::Own(Alg::Rs256)), "algorithm");
    for (name, bytes) in not_utf8(&claims) {
        table.token(format!("claims in {name}"), &forge.claiming(&bytes), "malformed");
    }
    for (name, bytes) in not_utf8(&header) {
        let token = forge.sign(&bytes, &claims, With::Own(Alg::Rs256));
        table.token(format!("a header in {name}"), &token, "malformed");
    }
    for (name, text) in [
        ("alg twice", begin(&header, "\"alg\":\"none\"")),
        ("alg twice alike", begin(&header, "\"alg\":\"RS256\"")),
        ("alg twice, escaped", begin(&header, "\"\\u0061lg\":\"none\"")),
        ("kid twice", begin(&header, "\"kid\":\"planted\"")),
        ("typ twice", begin(&header, "\"typ\":\"JWT\"")),
        ("something twice within", begin(&header, "\"a\":{\"b\":1,\"b\":2}")),
        ("a list around it", format!("[{header}]")),
        ("something behind it", format!("{header}{header}")),
        ("depth 1,000", begin(&header, &nested(1_000))),
    ] {
        let token = forge.sign(&text, &claims, With::Own(Alg::Rs256));
        table.token(format!("header with {name}"), &token, "malformed");
    }
}

/// The same JSON in bytes that are not UTF-8, or not it alone.
fn not_utf8(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let ending = |bytes: &[u8]| [&text.as_bytes()[..text.len() - 1], b",\"a\":\"", bytes, b"\"}"].concat();
    vec![
        ("UTF-8 with a stray byte", ending(b"\xff")),
        ("UTF-8 with an overlong slash", ending(b"\xc0\xaf")),
        ("UTF-8 with a surrogate", ending(b"\xed\xa0\x80")),
        ("UTF-8 cut off", ending(b"\xe2\x82")),
        ("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        (
            "UTF-16 with its mark",
            "\u{feff}".chars().chain(text.chars()).map(|c| c as u16).flat_map(u16::to_be_bytes).collect(),
        ),
        ("base64 once more", encode(text.as_bytes()).into_bytes()),
        ("zlib", [&[0x78, 0x9c][..], text.as_bytes()].concat()),
    ]
}
