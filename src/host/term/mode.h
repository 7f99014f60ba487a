/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The mode of a file as ls(1) shows it. */
#ifndef VSRPC_HOST_TERM_MODE_H
#define VSRPC_HOST_TERM_MODE_H

/* "drwxr-xr-t" of a type's letter and a mode. */
void mode_words(char letter, unsigned int mode, char text[11]);

#endif
