/* crc.c: zip's checksum, CRC-32, eight bytes at a time.
 *
 * Source: Kounavis, Berry 2008, "Novel table lookup-based algorithms for high-performance CRC
 * generation". */
#include "models/files/bytes_internal.h"

#define CRC_POLYNOMIAL UINT32_C(0xEDB88320) /* reflected */

void wg_crc_start(wg_crc *c)
{
    c->sum = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t rest = byte;
        for (int bit = 0; bit < 8; bit++)
            rest = rest >> 1 ^ ((rest & 1) != 0 ? CRC_POLYNOMIAL : 0);
        c->table[0][byte] = rest;
    }
    for (int k = 1; k < 8; k++)
        for (int byte = 0; byte < 256; byte++) {
            const uint32_t before = c->table[k - 1][byte];
            c->table[k][byte] = before >> 8 ^ c->table[0][before & 255];
        }
}

void wg_crc_add(wg_crc *c, const void *bytes, size_t size)
{
    const uint32_t(*t)[256] = (const uint32_t(*)[256])c->table;
    const unsigned char *p = bytes;
    uint32_t sum = ~c->sum;
    for (; size >= 8; size -= 8, p += 8)
        sum = t[7][(sum & 255) ^ p[0]] ^ t[6][(sum >> 8 & 255) ^ p[1]] ^
              t[5][(sum >> 16 & 255) ^ p[2]] ^ t[4][sum >> 24 ^ p[3]] ^ t[3][p[4]] ^ t[2][p[5]] ^
              t[1][p[6]] ^ t[0][p[7]];
    for (; size > 0; size--, p++)
        sum = t[0][(sum ^ *p) & 255] ^ sum >> 8;
    c->sum = ~sum;
}
