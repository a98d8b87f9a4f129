/*
 * The instructions of AMX that the integer kernels use, written out in C after Intel's descriptions (Software Developer's Manual, volume 2, "Intel AMX instruction set reference"):
 * tests then run those kernels on any x86 processor. The tile registers are plain arrays; what the processor would refuse (#UD, #GP) ends the test.
 */
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Palette 1. Rows and bytes are 0 for registers that are not set up. */
static _Thread_local struct {
    int in_use, rows[8], bytes[8];
    uint8_t contents[8][16][64];
} tiles;

static inline void refuse_unless(int condition, const char *what) {
    if (condition) return;
    fprintf(stderr, "a processor with AMX would refuse: %s\n", what);
    abort();
}

static inline void emulated_loadconfig(const void *config) {
    const uint8_t *c = config;
    refuse_unless(c[0] == 1, "a palette other than 1");
    for (int i = 1; i < 16; i++) refuse_unless(c[i] == 0, "reserved bytes, or a start row");
    memset(&tiles, 0, sizeof tiles);
    tiles.in_use = 1;
    for (int i = 0; i < 16; i++) {
        int bytes = c[16 + 2 * i] | c[17 + 2 * i] << 8, rows = c[48 + i];
        refuse_unless(i < 8 || (bytes == 0 && rows == 0), "a ninth register");
        refuse_unless(bytes <= 64 && rows <= 16, "more than 16 rows of 64 bytes");
        refuse_unless((bytes == 0) == (rows == 0), "rows without bytes, or bytes without rows");
        if (i < 8) tiles.bytes[i] = bytes, tiles.rows[i] = rows;
    }
}

static inline void emulated_release(void) { memset(&tiles, 0, sizeof tiles); }

static inline void refuse_unless_set_up(int tile) {
    refuse_unless(tiles.in_use && tiles.rows[tile] > 0, "a register that is not set up");
}

static inline void emulated_loadd(int to, const void *base, int64_t stride) {
    refuse_unless_set_up(to);
    memset(tiles.contents[to], 0, sizeof tiles.contents[to]);
    for (int r = 0; r < tiles.rows[to]; r++)
        memcpy(tiles.contents[to][r], (const uint8_t *)base + r * stride, (size_t)tiles.bytes[to]);
}

static inline void emulated_stored(int from, void *base, int64_t stride) {
    refuse_unless_set_up(from);
    for (int r = 0; r < tiles.rows[from]; r++)
        memcpy((uint8_t *)base + r * stride, tiles.contents[from][r], (size_t)tiles.bytes[from]);
}

/* c [m][n] += a [m][k] . b [k][n]: quads of unsigned bytes by quads of signed ones, in 32 bits that wrap */
static inline void emulated_dpbusd(int c, int a, int b) {
    refuse_unless(a != b && a != c && b != c, "the same register twice");
    refuse_unless_set_up(a), refuse_unless_set_up(b), refuse_unless_set_up(c);
    refuse_unless(tiles.rows[c] == tiles.rows[a] && tiles.bytes[c] == tiles.bytes[b] &&
                      tiles.bytes[a] == 4 * tiles.rows[b],
                  "shapes that do not fit");
    refuse_unless(tiles.bytes[a] % 4 == 0 && tiles.bytes[b] % 4 == 0, "rows that are no quads");
    for (int m = 0; m < tiles.rows[c]; m++)
        for (int n = 0; n < tiles.bytes[c] / 4; n++) {
            uint32_t sum;
            memcpy(&sum, tiles.contents[c][m] + 4 * n, 4);
            for (int k = 0; k < tiles.rows[b]; k++)
                for (int i = 0; i < 4; i++)
                    sum += (uint32_t)(tiles.contents[a][m][4 * k + i] * (int8_t)tiles.contents[b][k][4 * n + i]);
            memcpy(tiles.contents[c][m] + 4 * n, &sum, 4);
        }
}

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbusd
#define _tile_loadconfig emulated_loadconfig
#define _tile_release emulated_release
#define _tile_loadd emulated_loadd
#define _tile_stored emulated_stored
#define _tile_dpbusd emulated_dpbusd
