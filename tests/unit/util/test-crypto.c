/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "util/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/unit.h"

const char unit_name[] = "crypto";

/* RFC 1321 A.5, FIPS 180-4 examples. */
static const struct {
    enum digest_kind kind;
    const char *text;
    const char *hex;
} digests[] = {
    { DIGEST_MD5, "", "d41d8cd98f00b204e9800998ecf8427e" },
    { DIGEST_MD5, "a", "0cc175b9c0f1b6a831c399e269772661" },
    { DIGEST_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72" },
    { DIGEST_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
    { DIGEST_MD5,
      "1234567890123456789012345678901234567890123456789012345678901234"
      "5678901234567890",
      "57edf4a22be3c955ac49da2e2107b67a" },
    { DIGEST_SHA256, "",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { DIGEST_SHA256, "abc",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { DIGEST_SHA256,
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

START_TEST(digest_vector)
{
    const char *text = digests[_i].text;
    char hex[DIGEST_HEX_MAX];
    struct digest *digest;
    struct digest *copied;

    ck_assert_int_eq(digest_bytes(digests[_i].kind, text, strlen(text), hex),
                     0);
    ck_assert_str_eq(hex, digests[_i].hex);
    digest = digest_new(digests[_i].kind);
    for (; *text; text++) {
        struct digest *copy = digest_copy(digest);

        digest_update(copy, "something else", 14); /* is nothing to it */
        digest_free(copy);
        digest_update(digest, text, 1);
    }
    copied = digest_copy(digest);
    digest_hex(copied, hex);
    digest_free(copied);
    ck_assert_str_eq(hex, digests[_i].hex);
    digest_hex(digest, hex);
    ck_assert_str_eq(hex, digests[_i].hex);
    digest_free(digest);
}
END_TEST

START_TEST(digest_of_a_file)
{
    char *folder = unit_tmpdir();
    char *path = unit_path(folder, "file");
    char hex[DIGEST_HEX_MAX];
    int fd;

    unit_write_file(path, "abcdef");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(lseek(fd, 5, SEEK_SET), 5); /* is not looked at */
    ck_assert_int_eq(digest_file(DIGEST_MD5, fd, 3, hex), 3);
    ck_assert_str_eq(hex, "900150983cd24fb0d6963f7d28e17f72");
    ck_assert_int_eq(digest_file(DIGEST_MD5, fd, 100, hex), 6);
    ck_assert_int_eq(digest_file(DIGEST_MD5, fd, 0, hex), 0);
    ck_assert_str_eq(hex, "d41d8cd98f00b204e9800998ecf8427e");
    close(fd);
    ck_assert_int_eq(digest_file(DIGEST_MD5, fd, 3, hex), -EBADF);
    digest_free(NULL);
    free(path);
    unit_rmdir(folder);
}
END_TEST

/* RFC 4231, test cases 1, 2 and 6. */
START_TEST(hmac)
{
    uint8_t key[131];
    char hex[DIGEST_HEX_MAX];
    const char *text = "Test Using Larger Than Block-Size Key - "
                       "Hash Key First";

    memset(key, 0x0b, 20);
    ck_assert_int_eq(hmac_sha256_hex(key, 20, "Hi There", 8, hex), 0);
    ck_assert_str_eq(
        hex,
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hmac_sha256_hex("Jefe", 4, "what do ya want for nothing?", 28, hex);
    ck_assert_str_eq(
        hex,
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    hmac_sha256_hex(key, sizeof(key), text, strlen(text), hex);
    ck_assert_str_eq(
        hex,
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    ck_assert_int_eq(hmac_sha256_hex("", 0, NULL, 0, hex), 0);
    ck_assert_str_eq(
        hex,
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}
END_TEST

/* RFC 4648 section 10. */
static const struct {
    const char *plain;
    const char *text;
} base64s[] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
};

/* Both ways, with ceilings that just fit and that are one too low. */
START_TEST(base64)
{
    const char *plain = base64s[_i].plain;
    const char *text = base64s[_i].text;
    struct guarded copy = guarded_copy(text, strlen(text));
    struct buf buf;

    buf_init(&buf, strlen(text));
    ck_assert_int_eq(base64_encode(&buf, plain, strlen(plain)), 0);
    ck_assert_str_eq(buf_cstr(&buf), text);
    buf_free(&buf);
    buf_init(&buf, strlen(plain));
    ck_assert_int_eq(base64_decode(&buf, (char *) copy.bytes, strlen(text)),
                     0);
    ck_assert_str_eq(buf_cstr(&buf), plain);
    buf_free(&buf);
    if (*plain) {
        buf_init(&buf, strlen(text) - 1);
        ck_assert_int_eq(base64_encode(&buf, plain, strlen(plain)), -EMSGSIZE);
        buf_free(&buf);
        buf_init(&buf, strlen(plain) - 1);
        ck_assert_int_eq(base64_decode(&buf, text, strlen(text)), -EMSGSIZE);
        ck_assert_uint_eq(buf.len, 0);
        buf_free(&buf);
    }
    guarded_free(&copy);
}
END_TEST

START_TEST(base64_any_length)
{
    uint8_t plain[256];
    struct buf text;
    struct buf back;

    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t) (i * 7);
    buf_init(&text, 1024);
    buf_init(&back, 1024);
    for (size_t n = 0; n <= sizeof(plain); n++) {
        ck_assert_int_eq(base64_encode(&text, plain, n), 0);
        ck_assert_int_eq(base64_decode(&back, buf_cstr(&text), text.len), 0);
        ck_assert_uint_eq(back.len, n);
        if (n)
            ck_assert_mem_eq(buf_data(&back), plain, n);
        buf_clear(&text);
        buf_clear(&back);
    }
    buf_free(&text);
    buf_free(&back);
}
END_TEST

static const struct {
    const char *text;
    size_t n;
} base64_wrong[] = {
    { BYTES("Z") },
    { BYTES("Zg") },
    { BYTES("Zg=") },
    { BYTES("Zg==\n") },
    { BYTES("Zm9v\n") },
    { BYTES(" Zm9v") },
    { BYTES("Zm9\n") },
    { BYTES("\nZm9") },
    { BYTES("Zm 9") },
    { BYTES("Zg==Zg==") },
    { BYTES("Z===") },
    { BYTES("====") },
    { BYTES("=Zm9") },
    { BYTES("Zm=v") },
    { BYTES("Zm9-") },
    { BYTES("Zm9_") },
    { BYTES("Zm9\xFF") },
    { BYTES("Zm9\0") },
    { BYTES("Zm9v    ") },
    { BYTES("Zg======") },
    /* bits behind the end: two texts for one content (RFC 4648, 3.5) */
    { BYTES("Zh==") },
    { BYTES("Zm9=") },
};

START_TEST(base64_is_strict)
{
    struct buf buf;

    buf_init(&buf, 100);
    ck_assert_int_eq(
        base64_decode(&buf, base64_wrong[_i].text, base64_wrong[_i].n),
        -EINVAL);
    ck_assert_uint_eq(buf.len, 0);
    buf_free(&buf);
}
END_TEST

START_TEST(random_and_equal)
{
    char a[33];
    char b[33];

    ck_assert_int_eq(crypto_random_hex(a, 16), 0);
    ck_assert_int_eq(crypto_random_hex(b, 16), 0);
    ck_assert_uint_eq(strspn(a, "0123456789abcdef"), 32);
    ck_assert_str_ne(a, b);
    ck_assert(crypto_equal(a, a, 32));
    ck_assert(!crypto_equal(a, b, 32));
    ck_assert_int_eq(crypto_random_hex(a, 65), -EIO);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, digest_vector, 0, ARRAY_SIZE(digests));
    tcase_add_test(tcase, digest_of_a_file);
    tcase_add_test(tcase, hmac);
    tcase_add_loop_test(tcase, base64, 0, ARRAY_SIZE(base64s));
    tcase_add_test(tcase, base64_any_length);
    tcase_add_loop_test(tcase, base64_is_strict, 0, ARRAY_SIZE(base64_wrong));
    tcase_add_test(tcase, random_and_equal);
}
