//! Uploads that become icons, and those that are refused.

use image::{ImageEncoder, Rgba, codecs::png::PngEncoder};

use super::*;

fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let red = RgbaImage::from_pixel(width, height, Rgba([200, 0, 0, 255]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(red)
        .into_rgb8()
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

fn decoded(icon: &[u8]) -> RgbaImage {
    image::load_from_memory_with_format(icon, ImageFormat::Png)
        .unwrap()
        .into_rgba8()
}

#[test]
fn each_format_becomes_a_square_with_the_picture_in_the_middle() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        for (width, height) in [(16, 8), (128, 64), (600, 300)] {
            let square = decoded(&icon(&encoded(width, height, format)).unwrap());
            assert_eq!(square.dimensions(), (SIDE, SIDE), "{format:?}");
            let [red, .., alpha] = square.get_pixel(64, 64).0;
            assert!(red > 180 && alpha == 255, "{format:?} {width}");
            assert_eq!(square.get_pixel(64, 10).0[3], 0, "{format:?} {width}: clear above");
        }
    }
}

#[test]
fn the_narrowest_picture_has_a_pixel() {
    let square = decoded(&icon(&encoded(MAX_SIDE, 1, ImageFormat::Png)).unwrap());
    assert!(square.pixels().any(|pixel| pixel.0[3] > 0));
}

#[test]
fn nothing_of_the_upload_but_its_pixels_survives() {
    let plain = icon(&encoded(64, 64, ImageFormat::Png)).unwrap();
    let mut upload = encoded(64, 64, ImageFormat::Png);
    upload.extend_from_slice(b"<script>alert(1)</script>");
    assert_eq!(icon(&upload), Ok(plain));
}

#[test]
fn other_formats_are_refused() {
    for upload in [
        &b""[..],
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        b"GIF89a\x01\0\x01\0\0\0\0;",
        b"BM",
        b"\0\0\x01\0",
        b"hello",
    ] {
        assert_eq!(icon(upload), Err(PictureError::Format), "{upload:?}");
    }
}

#[test]
fn broken_pictures_are_refused() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let whole = encoded(64, 64, format);
        let cut = icon(&whole[..whole.len() / 4]);
        assert_eq!(cut, Err(PictureError::Unreadable), "{format:?}");
    }
}

/// A picture of one colour compresses to almost nothing.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let rows = vec![0; (width as usize) * (height as usize)];
    let encoder = PngEncoder::new(&mut bytes);
    encoder
        .write_image(&rows, width, height, image::ExtendedColorType::L8)
        .unwrap();
    bytes
}

#[test]
fn a_small_file_that_is_a_huge_picture_is_refused_before_it_is_decoded() {
    let upload = bomb(MAX_SIDE + 1, 16);
    assert!(upload.len() < MAX_PICTURE_BYTES);
    assert_eq!(icon(&upload), Err(PictureError::Unreadable));
    // Only the heads are true. 60,000 × 60,000 pixels of 8 bytes are 29 GB, 4096 × 4096 are 128 MiB.
    for side in [60_000_u32, MAX_SIDE] {
        let mut png = encoded(16, 16, ImageFormat::Png);
        png[16..20].copy_from_slice(&side.to_be_bytes());
        png[20..24].copy_from_slice(&side.to_be_bytes());
        (png[24], png[25]) = (16, 6);
        let sum = crc(&png[12..29]);
        png[29..33].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(icon(&png), Err(PictureError::Unreadable), "{side}");
    }
    let mut jpeg = encoded(16, 16, ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert_eq!(icon(&jpeg), Err(PictureError::Unreadable));
    // 16,384 × 16,384.
    let mut webp = encoded(16, 16, ImageFormat::WebP);
    assert_eq!(&webp[12..16], b"VP8L");
    webp[21..24].fill(0xff);
    webp[24] |= 0x0f;
    assert_eq!(icon(&webp), Err(PictureError::Unreadable));
}

#[test]
fn a_profile_that_expands_does_not_count() {
    let plain = encoded(64, 64, ImageFormat::Png);
    let zeros = bomb(1024, 1024);
    let data = zeros.windows(4).position(|kind| kind == b"IDAT").unwrap();
    let length = usize::try_from(u32::from_be_bytes(zeros[data - 4..data].try_into().unwrap())).unwrap();
    let mut profile = b"iCCPx\0\0".to_vec();
    profile.extend_from_slice(&zeros[data + 4..data + 4 + length]);
    let mut upload = plain[..33].to_vec();
    upload.extend_from_slice(&u32::try_from(profile.len() - 4).unwrap().to_be_bytes());
    upload.extend_from_slice(&profile);
    upload.extend_from_slice(&crc(&profile).to_be_bytes());
    upload.extend_from_slice(&plain[33..]);
    assert_eq!(icon(&upload), icon(&plain));
}

/// The checksum of a chunk of a PNG.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                (sum >> 1) ^ 0xEDB8_8320
            } else {
                sum >> 1
            }
        })
    })
}
