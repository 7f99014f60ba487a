/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Letters by bit; the three special ones stand in the places of x. */
#include <config.h>

#include "host/term/mode.h"

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
