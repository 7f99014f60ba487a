/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The quote.  What steers a terminal becomes octal escapes of three digits,
 * behind which any character can follow.
 */
#include <config.h>

#include "host/term/quote.h"

#include <string.h>

#include "util/text.h"

static bool is_harmless(const char *name, size_t n)
{
    uint32_t code;

    for (size_t i = 0; i < n; i++)
        if (text_steering(name + i, &code))
            return false;
    return utf8_valid(name, n);
}

static int append_escaped(struct buf *text, unsigned char c)
{
    static const char letters[] = "\nn\tt\rr''\\\\";
    const char *letter = c ? strchr(letters, c) : NULL;

    /* Pairs: what is escaped, and its letter. */
    if (letter && (letter - letters) % 2 == 0)
        return buf_printf(text, "\\%c", letter[1]);
    if (c < 0x20 || c >= 0x7F)
        return buf_printf(text, "\\%03o", c);
    return buf_append(text, &c, 1);
}

static int append_quoted(struct buf *text, const char *name)
{
    int r = buf_puts(text, "$'");

    for (; *name && r == 0; name++)
        r = append_escaped(text, (unsigned char) *name);
    return r < 0 ? r : buf_puts(text, "'");
}

int quote_name(struct buf *text, const char *name)
{
    size_t n = strlen(name);

    return is_harmless(name, n) ? buf_append(text, name, n)
                                : append_quoted(text, name);
}

int quote_word(struct buf *text, const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789"
                                "@%+=:,./-_";
    size_t n = strlen(word);

    if (n > 0 && strspn(word, plain) == n)
        return buf_append(text, word, n);
    if (strchr(word, '\'') || !is_harmless(word, n))
        return append_quoted(text, word);
    return buf_printf(text, "'%s'", word);
}

void mode_words(char letter, unsigned int mode, char text[11])
{
    static const char all[] = "rwxrwxrwx";

    text[0] = letter;
    for (unsigned int i = 0; i < 9; i++)
        text[i + 1] = mode & (0400U >> i) ? all[i] : '-';
    if (mode & 04000)
        text[3] = text[3] == 'x' ? 's' : 'S';
    if (mode & 02000)
        text[6] = text[6] == 'x' ? 's' : 'S';
    if (mode & 01000)
        text[9] = text[9] == 'x' ? 't' : 'T';
    text[10] = '\0';
}
