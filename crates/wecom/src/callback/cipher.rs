//! AES-256-CBC as WeCom uses it (WeCom 90968): the IV is the key's first half, the padding goes to blocks of 32
//! bytes although AES has 16, and the padded text is random(16) | length(4, big endian) | message | receiver.

use crate::Entropy;
use aes::Aes256;
use cbc::cipher::{Array, BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};

use super::{CallbackError, EncodingAesKey};

const BLOCK: usize = 16;
const PADDED_TO: usize = 32;
const RANDOM: usize = 16;
const LENGTH: usize = 4;

pub(super) fn encrypt(
    key: &EncodingAesKey,
    message: &[u8],
    receiver: &str,
    entropy: &dyn Entropy,
) -> Vec<u8> {
    let mut text = vec![0; RANDOM];
    entropy.fill(&mut text);
    // Every caller limits messages to far less than 4 GiB.
    text.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    text.extend_from_slice(message);
    text.extend_from_slice(receiver.as_bytes());
    let padding = PADDED_TO - text.len() % PADDED_TO;
    text.resize(text.len() + padding, u8::try_from(padding).unwrap_or_default());

    let (key, iv) = key_and_iv(key);
    let mut cipher = cbc::Encryptor::<Aes256>::new(&key, &iv);
    for block in text.chunks_exact_mut(BLOCK) {
        if let Ok(block) = block.try_into() {
            cipher.encrypt_block(block);
        }
    }
    text
}

/// The message and its receiver.
pub(super) fn decrypt(key: &EncodingAesKey, mut text: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>), CallbackError> {
    if text.is_empty() || !text.len().is_multiple_of(BLOCK) {
        return Err(CallbackError::Undecryptable);
    }
    let (key, iv) = key_and_iv(key);
    let mut cipher = cbc::Decryptor::<Aes256>::new(&key, &iv);
    for block in text.chunks_exact_mut(BLOCK) {
        if let Ok(block) = block.try_into() {
            cipher.decrypt_block(block);
        }
    }
    open(&text).ok_or(CallbackError::Undecryptable)
}

fn open(padded: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let padding = usize::from(*padded.last()?);
    let length = padded.len().checked_sub(padding)?;
    let (text, pad) = padded.split_at(length);
    if !(1..=PADDED_TO).contains(&padding) || pad.iter().any(|byte| usize::from(*byte) != padding) {
        return None;
    }
    let (length, rest) = text.get(RANDOM..)?.split_first_chunk::<LENGTH>()?;
    let (message, receiver) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    Some((message.to_vec(), receiver.to_vec()))
}

type Key = Array<u8, <Aes256 as cbc::cipher::KeySizeUser>::KeySize>;
type Iv = Array<u8, <Aes256 as cbc::cipher::BlockSizeUser>::BlockSize>;

fn key_and_iv(key: &EncodingAesKey) -> (Key, Iv) {
    let bytes = key.bytes();
    let mut iv = Iv::default();
    iv.copy_from_slice(&bytes[..BLOCK]);
    (Key::from(*bytes), iv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_1_to_32_equal_bytes() {
        let text = |padding: usize, last: &[u8]| {
            let mut text = vec![7; RANDOM];
            text.extend_from_slice(&0_u32.to_be_bytes());
            text.resize(text.len() + padding - last.len(), u8::try_from(padding).unwrap());
            text.extend_from_slice(last);
            text
        };
        for padding in 1..=32 {
            assert_eq!(open(&text(padding, &[])), Some((vec![], vec![])), "{padding}");
        }
        assert_eq!(open(&text(33, &[])), None);
        assert_eq!(open(&text(4, &[0])), None);
        assert_eq!(open(&text(4, &[3, 4])), None);
        assert_eq!(open(&[4, 4, 4, 4]), None, "nothing but padding");
        assert_eq!(open(&[5, 5, 5, 5]), None, "padding longer than the text");
        assert_eq!(open(&[]), None);
    }

    #[test]
    fn a_length_beyond_the_text_is_refused() {
        let mut text = vec![7; RANDOM];
        text.extend_from_slice(&u32::MAX.to_be_bytes());
        text.extend_from_slice(&[1]);
        assert_eq!(open(&text), None);
    }
}
