//! User codes: 8 of 20 consonants (RFC 8628 §6.1), so that no word comes out, and nobody
//! takes one character for another.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::{
    refusal::Refusal,
    seal::{SealError, Sealer},
};

const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

/// The largest multiple of 20 in a byte: above it, some letters would come more often.
const FAIR: u8 = 240;

/// A user code.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct UserCode(String);

impl UserCode {
    pub(super) fn generate() -> Result<Self, Refusal> {
        let random = SystemRandom::new();
        let mut code = String::with_capacity(LENGTH);
        // Each round gives 30 letters of 32 bytes on average.
        for _ in 0..16 {
            let mut bytes = [0; 32];
            random.fill(&mut bytes).map_err(|_| SealError)?;
            for byte in bytes.into_iter().filter(|byte| *byte < FAIR) {
                if code.len() < LENGTH {
                    code.push(char::from(LETTERS[usize::from(byte % 20)]));
                }
            }
            if code.len() == LENGTH {
                return Ok(Self(code));
            }
        }
        Err(SealError.into())
    }

    /// What a person has written: small letters, spaces and strokes do not matter.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let plain = text.chars().filter(|letter| letter.is_ascii_alphanumeric());
        let code: String = plain.map(|letter| letter.to_ascii_uppercase()).collect();
        let is_code = code.len() == LENGTH && code.bytes().all(|byte| LETTERS.contains(&byte));
        is_code.then_some(Self(code))
    }

    /// In two groups.
    pub(super) fn shown(&self) -> String {
        let (first, second) = self.0.split_at(LENGTH / 2);
        format!("{first}-{second}")
    }

    /// How the database has it.
    pub(super) fn hash(&self, sealer: &Sealer) -> String {
        hex::encode(sealer.keyed_hash("user code", self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::{LETTERS, UserCode};

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = UserCode::generate().unwrap();
        let shown = code.shown();
        assert_eq!(shown.len(), 9);
        for text in [
            shown.clone(),
            shown.to_lowercase(),
            shown.replace('-', " "),
            code.0.clone(),
        ] {
            assert!(UserCode::read(&text) == Some(code.clone()), "{text}");
        }
        for wrong in ["", "BCDF-GHJ", "BCDF-GHJA", "BCDF-GHJK-L", &"B".repeat(100)] {
            assert!(UserCode::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn every_letter_comes() {
        let codes = (0..100).map(|_| UserCode::generate().unwrap().0);
        let all: String = codes.collect();
        assert!(
            LETTERS
                .iter()
                .all(|letter| all.contains(char::from(*letter)))
        );
    }
}
