//! Signatures that are nearly good.

use super::table::{TAKEN, Table, changed, decoded};
use crate::forge::encode;
use crate::keys::Alg;

/// The order of P-256, big-endian (SEC 2 section 2.4.2).
const P256: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of Ed25519, little-endian (RFC 8032 section 5.1).
const ED25519: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub(super) fn altered(table: &mut Table<'_>) {
    for alg in [Alg::Rs256, Alg::Es256, Alg::Ps256, Alg::EdDsa] {
        let [header, claims, signature] = table.good(alg);
        let good = decoded(&signature);
        let mut with = |name: &str, signature: &[u8]| {
            let token = format!("{header}.{claims}.{}", encode(signature));
            table.token(format!("{alg:?} signature {name}"), &token, "signature");
        };
        let last = good.len() - 1;
        for (byte, bit) in
            [(0, 0), (0, 7), (1, 3), (last / 2, 0), (last / 2 + 1, 7), (last - 1, 4), (last, 0), (last, 7)]
        {
            let mut flipped = good.clone();
            flipped[byte] ^= 1 << bit;
            with(&format!("with bit {bit} of byte {byte} flipped"), &flipped);
        }
        with("without its last byte", &good[..last]);
        with("with a byte more", &[&good[..], &[0]].concat());
        with("with a byte before", &[&[0], &good[..]].concat());
        with("twice", &good.repeat(2));
        with("of zeros", &vec![0; good.len()]);
        with("of ones", &vec![0xff; good.len()]);
        with("reversed", &good.iter().rev().copied().collect::<Vec<_>>());
        with("of one byte", &[1]);
    }
    moved(table);
    curves(table);
}

/// A good signature of something else.
fn moved(table: &mut Table<'_>) {
    let [header, claims, signature] = table.good(Alg::Rs256);
    let [_, other, of_other] = table.good(Alg::Rs256);
    for (name, token) in [
        ("of another token", format!("{header}.{claims}.{of_other}")),
        ("and the claims of another token", format!("{header}.{other}.{signature}")),
        ("with header and claims exchanged", format!("{claims}.{header}.{signature}")),
    ] {
        let end = if name.contains("exchanged") { "issuer" } else { "signature" };
        table.token(format!("a signature {name}"), &token, end);
    }
    let root = changed(table.claims_of_alice(), serde_json::json!({"groups": ["platform-admins"]}));
    let root = encode(root.to_string().as_bytes());
    table.token("more groups under an old signature", &format!("{header}.{root}.{signature}"), "signature");
    let spaced = encode(&[&decoded(&claims)[..], b" "].concat());
    table.token(
        "a space more under an old signature",
        &format!("{header}.{spaced}.{signature}"),
        "signature",
    );
    let spaced = encode(&[&decoded(&header)[..], b" "].concat());
    table.token("a space more in the header", &format!("{spaced}.{claims}.{signature}"), "signature");
}

/// What ECDSA and Ed25519 allow, and what they do not.
fn curves(table: &mut Table<'_>) {
    let [header, claims, signature] = table.good(Alg::Es256);
    let signature = decoded(&signature);
    let (r, s) = signature.split_at(32);
    let mut with = |name: &str, signature: &[u8], end| {
        table.token(format!("ES256 {name}"), &format!("{header}.{claims}.{}", encode(signature)), end);
    };
    with("in DER", &der(r, s), "signature");
    with("without r", &[&[0; 32], s].concat(), "signature");
    with("without s", &[r, &[0; 32]].concat(), "signature");
    with("of the order of the curve", &P256.repeat(2), "signature");
    with("with r and s exchanged", &[s, r].concat(), "signature");
    with("of r twice", &r.repeat(2), "signature");
    // Both s and n - s are good (FIPS 186-5); a token has two spellings, and they say the same.
    with("with the other s", &[r, &less(&P256, s)].concat(), TAKEN);

    let [header, claims, signature] = table.good(Alg::EdDsa);
    let signature = decoded(&signature);
    let (r, s) = signature.split_at(32);
    // RFC 8032 section 5.1.7: s must be below the order
    let token = format!("{header}.{claims}.{}", encode(&[r, &plus(s, &ED25519)].concat()));
    table.token("EdDSA with the order added to s", &token, "signature");
}

/// The difference of big-endian numbers.
fn less(from: &[u8; 32], what: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut rest = vec![0; 32];
    for at in (0..32).rev() {
        let digit = i16::from(from[at]) - i16::from(what[at]) - borrow;
        borrow = i16::from(digit < 0);
        rest[at] = digit.rem_euclid(256) as u8;
    }
    rest
}

/// The sum of little-endian numbers.
fn plus(one: &[u8], other: &[u8; 32]) -> Vec<u8> {
    let mut carry = 0;
    let digits = one.iter().zip(other).map(|(one, other)| {
        let digit = u16::from(*one) + u16::from(*other) + carry;
        carry = digit >> 8;
        digit as u8
    });
    digits.collect()
}

fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| {
        let from = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
        let mut number = bytes[from..].to_vec();
        if number[0] > 0x7f {
            number.insert(0, 0);
        }
        [&[2, number.len() as u8], &number[..]].concat()
    };
    let both = [number(r), number(s)].concat();
    [&[0x30, both.len() as u8], &both[..]].concat()
}
