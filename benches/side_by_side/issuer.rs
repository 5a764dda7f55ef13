//! An OIDC issuer in this process: two documents over plain http on loopback, and tokens of anybody.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use super::Outcome;

/// The audience of its tokens.
pub(super) const AUDIENCE: &str = "https://bench.example/mcp";

/// An issuer that answers until the process ends.
pub(super) struct Issuer {
    address: SocketAddr,
    key: EncodingKey,
}

impl Issuer {
    pub(super) fn start() -> Outcome<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let point = pair.public_key().as_ref();
        let half = |at: usize| URL_SAFE_NO_PAD.encode(point.get(at..at + 32).unwrap_or_default());
        let key = json!({"kty": "EC", "crv": "P-256", "kid": "bench", "x": half(1), "y": half(33)});
        let keys = json!({ "keys": [key] }).to_string();
        let issuer = format!("http://{address}");
        let about = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/jwks")}).to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &about, &keys);
            }
        });
        Ok(Self { address, key: EncodingKey::from_ec_der(pair.to_pkcs8v1()?.as_ref()) })
    }

    /// `iss`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A good token of that person.
    pub(super) fn token(&self, person: &str) -> Outcome<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let claims = json!({
            "iss": self.url(), "sub": person, "aud": AUDIENCE, "jti": person,
            "iat": now.as_secs(), "exp": (now + Duration::from_secs(3600)).as_secs(),
            "groups": ["team-a", "team-b", "developers"],
        });
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some("bench".to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        Ok(jsonwebtoken::encode(&header, &claims, &self.key)?)
    }
}

fn answer(mut stream: std::net::TcpStream, about: &str, keys: &str) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let read = stream.read(&mut request)?;
    let head = String::from_utf8_lossy(request.get(..read).unwrap_or_default()).into_owned();
    let body = if head.starts_with("GET /jwks") { keys } else { about };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
