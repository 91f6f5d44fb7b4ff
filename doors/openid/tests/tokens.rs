//! Forged tokens, one fault each: every one is refused for its own reason. The keys were made for these tests and open
//! nothing.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kangmai_base::Moment;
use kangmai_openid::{Expected, KeySet, TokenError, verify_token};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

const RSA: &[u8] = include_bytes!("keys/rsa-for-tests.der");
const OTHER_RSA: &[u8] = include_bytes!("keys/other-rsa-for-tests.der");
const ISSUER: &str = "https://id.county.example";
const NOW: i64 = 1_800_000_000;

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa(der: &[u8]) -> RsaKeyPair {
    RsaKeyPair::from_der(der).expect("a key")
}

fn signed(head: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", text(head.to_string()), text(claims.to_string()));
    let signature = sign(message.as_bytes());
    format!("{message}.{}", text(signature))
}

fn by_rsa(der: &'static [u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    move |message| {
        let key = rsa(der);
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("signed");
        signature
    }
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::read(&json!({ "keys": keys }).to_string()).expect("keys")
}

fn public(der: &[u8], id: &str) -> Value {
    let key = rsa(der);
    let components: ring::signature::RsaPublicKeyComponents<Vec<u8>> = key.public().into();
    json!({ "kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": text(components.n), "e": text(components.e) })
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "0042", "aud": "kangmai", "exp": NOW + 300, "iat": NOW, "nonce": "n-1",
        "preferred_username": "wang",
    })
}

fn verified(token: &str, keys: &KeySet) -> Result<String, TokenError> {
    let now = Moment(NOW * 1_000_000);
    let expected = Expected { issuer: ISSUER, client_id: "kangmai", nonce: "n-1", now };
    verify_token(token, keys, &expected).map(|identity| identity.subject)
}

#[test]
fn what_is_claimed_is_held_against_what_is_expected() {
    let keys = set(&[public(RSA, "k1")]);
    let head = json!({ "alg": "RS256", "kid": "k1" });
    let check = |change: Value, expected: Result<(), TokenError>| {
        let mut claimed = claims();
        for (name, value) in change.as_object().expect("an object") {
            match value {
                Value::Null => _ = claimed.as_object_mut().expect("an object").remove(name),
                value => claimed[name] = value.clone(),
            }
        }
        let found = verified(&signed(&head, &claimed, by_rsa(RSA)), &keys).map(|_| ());
        assert_eq!(found, expected, "{change}");
    };
    for (change, expected) in [
        (json!({}), Ok(())),
        (json!({ "iss": "https://id.county.example/" }), Err(TokenError::Issuer)),
        (json!({ "iss": null }), Err(TokenError::Issuer)),
        (json!({ "aud": "another" }), Err(TokenError::Audience)),
        (json!({ "aud": null }), Err(TokenError::Audience)),
        (json!({ "aud": ["another", "kangmai"] }), Err(TokenError::Audience)),
        (json!({ "aud": ["another", "kangmai"], "azp": "another" }), Err(TokenError::Audience)),
        (json!({ "aud": ["another", "kangmai"], "azp": "kangmai" }), Ok(())),
        (json!({ "aud": ["kangmai"] }), Ok(())),
        (json!({ "azp": "another" }), Err(TokenError::Audience)),
        (json!({ "azp": 7 }), Err(TokenError::Audience)),
        (json!({ "exp": NOW - 60 }), Err(TokenError::Time)),
        (json!({ "exp": NOW - 59 }), Ok(())),
        (json!({ "exp": null }), Err(TokenError::Time)),
        (json!({ "exp": "tomorrow" }), Err(TokenError::Time)),
        (json!({ "iat": NOW + 61 }), Err(TokenError::Time)),
        (json!({ "iat": NOW - 600 }), Ok(())),
        (json!({ "iat": NOW - 601 }), Err(TokenError::Time)),
        (json!({ "iat": null }), Err(TokenError::Time)),
        (json!({ "nbf": NOW + 61 }), Err(TokenError::Time)),
        (json!({ "nonce": "n-0" }), Err(TokenError::Nonce)),
        (json!({ "nonce": null }), Err(TokenError::Nonce)),
        (json!({ "sub": "" }), Err(TokenError::Subject)),
        (json!({ "sub": null }), Err(TokenError::Subject)),
        (json!({ "sub": "x".repeat(256) }), Err(TokenError::Subject)),
    ] {
        check(change, expected);
    }
}

#[test]
fn a_signature_is_of_a_key_of_the_provider() {
    let keys = set(&[public(RSA, "k1"), public(OTHER_RSA, "k2")]);
    let good = signed(&json!({ "alg": "RS256", "kid": "k1" }), &claims(), by_rsa(RSA));
    assert_eq!(verified(&good, &keys).as_deref(), Ok("0042"));
    let without = signed(&json!({ "alg": "RS256" }), &claims(), by_rsa(RSA));
    assert_eq!(verified(&without, &keys).as_deref(), Ok("0042"), "without a name every key is tried");

    let other = signed(&json!({ "alg": "RS256", "kid": "k1" }), &claims(), by_rsa(OTHER_RSA));
    assert_eq!(verified(&other, &keys), Err(TokenError::Signature), "another key under that name");
    let unknown = set(&[public(OTHER_RSA, "k2")]);
    assert_eq!(verified(&good, &unknown), Err(TokenError::Signature));
    assert_eq!(verified(&good, &set(&[])), Err(TokenError::Signature));

    // Nobody signs: `none`, in any writing; and an HMAC by what everybody can read, the public key.
    let modulus = public(RSA, "k1")["n"].as_str().expect("a text").to_owned();
    for algorithm in ["none", "None", "NONE", "", "HS256", "RS512", "PS256", "ES256K"] {
        let head = json!({ "alg": algorithm, "kid": "k1" });
        for sign in [|_: &[u8]| Vec::new(), |_: &[u8]| vec![0; 32]] {
            assert_eq!(
                verified(&signed(&head, &claims(), sign), &keys),
                Err(TokenError::Algorithm),
                "{algorithm}"
            );
        }
    }
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, modulus.as_bytes());
    let by_hmac = |message: &[u8]| ring::hmac::sign(&key, message).as_ref().to_vec();
    let confused = signed(&json!({ "alg": "HS256", "kid": "k1" }), &claims(), by_hmac);
    assert_eq!(verified(&confused, &keys), Err(TokenError::Algorithm));
    // An algorithm of another kind of key than the key is.
    let mixed = signed(&json!({ "alg": "ES256", "kid": "k1" }), &claims(), by_rsa(RSA));
    assert_eq!(verified(&mixed, &keys), Err(TokenError::Signature));
    let critical = signed(&json!({ "alg": "RS256", "kid": "k1", "crit": ["b64"] }), &claims(), by_rsa(RSA));
    assert_eq!(verified(&critical, &keys), Err(TokenError::Algorithm));
}

#[test]
fn what_was_changed_afterwards_is_not_believed() {
    let keys = set(&[public(RSA, "k1")]);
    let good = signed(&json!({ "alg": "RS256", "kid": "k1" }), &claims(), by_rsa(RSA));
    let parts: Vec<&str> = good.split('.').collect();
    let mut other = claims();
    other["sub"] = json!("0001");
    for forged in [
        format!("{}.{}.{}", parts[0], text(other.to_string()), parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], text([0_u8; 256])),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        String::new(),
        "..".to_owned(),
        format!("{good}.x"),
        format!("{}.{}.{}", parts[0], "x".repeat(20_000), parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], "!"),
    ] {
        let found = verified(&forged, &keys);
        assert!(
            matches!(found, Err(TokenError::Signature | TokenError::Malformed | TokenError::Algorithm)),
            "{forged}"
        );
    }
}

#[test]
fn tokens_signed_on_a_curve_are_read_too() {
    let random = SystemRandom::new();
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    let key =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref(), &random).expect("a key");
    let point = key.public_key().as_ref().to_vec();
    let public = json!({ "kty": "EC", "crv": "P-256", "kid": "e1", "x": text(&point[1..33]), "y": text(&point[33..]) });
    let sign = |message: &[u8]| key.sign(&random, message).expect("signed").as_ref().to_vec();
    let token = signed(&json!({ "alg": "ES256", "kid": "e1" }), &claims(), sign);
    assert_eq!(verified(&token, &set(std::slice::from_ref(&public))).as_deref(), Ok("0042"));
    let mut encryption = public.clone();
    encryption["use"] = json!("enc");
    assert_eq!(verified(&token, &set(&[encryption])), Err(TokenError::Signature));
    let mut curve = public;
    curve["crv"] = json!("P-384");
    assert_eq!(verified(&token, &set(&[curve])), Err(TokenError::Signature));
    assert!(KeySet::read("{}").is_err() && KeySet::read("[]").is_err());
}
