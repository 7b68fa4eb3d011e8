//! Uploaded icons of applications.
//!
//! An upload is never served. It is decoded, made a square of [`SIDE`] pixels and encoded as PNG:
//! what browsers get was written by this server, without metadata or anything appended. SVG is
//! refused, because it is a program.

use std::{io::Cursor, sync::Arc};

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbaImage,
    imageops::{FilterType, overlay},
    metadata::Orientation,
};
use session::{
    Role,
    api::Me,
    catalogue::appearance::{MAX_PICTURE_BYTES, hex},
};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::{Control, Error, Result, authorization::require, error::PictureError};

/// Width and height of an icon, in pixels: twice the largest size on a page.
const SIDE: u32 = 128;
/// Largest width and height of an upload, in pixels.
const MAX_SIDE: u32 = 4096;
/// Largest memory of a decoded upload, in bytes. A file of a few kilobytes can be a picture of
/// gigabytes.
const MAX_DECODED: u64 = 64 << 20;
/// Number of uploads that are decoded at the same time. The others wait.
const AT_ONCE: usize = 2;

/// The places for uploads that are decoded.
pub struct Decoders(Arc<Semaphore>);

impl Default for Decoders {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Decoders {
    /// The upload as an icon. A decoding that runs can't be stopped, so it owns its place.
    async fn icon(&self, upload: Vec<u8>) -> Result<Vec<u8>> {
        let place = self.0.clone().acquire_owned().await;
        let place = place.map_err(|error| Error::Internal(error.to_string()))?;
        let decoded = tokio::task::spawn_blocking(move || {
            let icon = icon(&upload);
            drop(place);
            icon
        });
        // The only other error is a panic, of a decoder.
        decoded
            .await
            .unwrap_or(Err(PictureError::Unreadable))
            .map_err(Error::Picture)
    }
}

impl Control {
    /// Takes an uploaded picture. Returns its name for
    /// [`Appearance::icon`](session::catalogue::appearance::Appearance::icon).
    pub async fn add_picture(&self, me: &Me, upload: Vec<u8>) -> Result<String> {
        require(me, Role::AppAdmin)?;
        if upload.len() > MAX_PICTURE_BYTES {
            return Err(Error::Picture(PictureError::TooLarge(upload.len())));
        }
        let png = self.decoders.icon(upload).await?;
        let hash = Sha256::digest(&png).into();
        self.store.add_picture(hash, &png, self.clock.now()).await?;
        Ok(hex(&hash))
    }

    /// The PNG of an icon, for every person; `None` if there is none.
    pub async fn picture(&self, hash: [u8; 32]) -> Result<Option<Vec<u8>>> {
        Ok(self.store.picture(hash).await?)
    }
}

fn icon(upload: &[u8]) -> std::result::Result<Vec<u8>, PictureError> {
    let unreadable = |_| PictureError::Unreadable;
    let reader = ImageReader::new(Cursor::new(upload)).with_guessed_format();
    let mut reader = reader.map_err(|_| PictureError::Unreadable)?;
    if !matches!(
        reader.format(),
        Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)
    ) {
        return Err(PictureError::Format);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    if decoder.total_bytes() > MAX_DECODED {
        return Err(PictureError::Unreadable);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    picture.apply_orientation(orientation);
    let fitted = if picture.width().max(picture.height()) > SIDE {
        picture.thumbnail(SIDE, SIDE)
    } else {
        picture.resize(SIDE, SIDE, FilterType::Lanczos3)
    };
    let fitted = fitted.to_rgba8();
    let mut square = RgbaImage::new(SIDE, SIDE);
    let middle = |side: u32| i64::from((SIDE - side.min(SIDE)) / 2);
    overlay(&mut square, &fitted, middle(fitted.width()), middle(fitted.height()));
    let mut png = Cursor::new(Vec::new());
    square.write_to(&mut png, ImageFormat::Png).map_err(unreadable)?;
    Ok(png.into_inner())
}

#[cfg(test)]
mod tests;
