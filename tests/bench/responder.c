/* A card that does next to nothing, for a slot of vpcd: what comes from it, no card can beat.
 *
 * Usage: responder PORT, the response in hex on standard input. It answers every command with that response,
 * and acknowledges what it receives at once.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OFF, ON, RESET, ATR = 4, LONGEST = 0xFFFF };

static int slot;

static void exactly(unsigned char *place, size_t count)
{
    int one = 1;

    while (count) {
        setsockopt(slot, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
        ssize_t got = read(slot, place, count);

        if (got <= 0)
            exit(0);

        place += got;
        count -= (size_t)got;
    }
}

static void answer(const unsigned char *data, size_t length)
{
    unsigned char message[2 + LONGEST] = {(unsigned char)(length >> 8), (unsigned char)length};

    for (size_t i = 0; i < length; i++)
        message[2 + i] = data[i];

    if (write(slot, message, 2 + length) < 0)
        exit(0);
}

int main(int count, char **arguments)
{
    static const unsigned char atr[] = {0x3B, 0x80, 0x01, 0x81};
    static unsigned char response[LONGEST], message[LONGEST];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    unsigned int byte;
    size_t length = 0;
    int one = 1;

    if (count != 2)
        return 2;

    while (length < LONGEST && scanf("%2x", &byte) == 1)
        response[length++] = (unsigned char)byte;

    address.sin_port = htons((unsigned short)atoi(arguments[1]));

    do {
        slot = socket(AF_INET, SOCK_STREAM, 0);

        if (connect(slot, (struct sockaddr *)&address, sizeof address) == 0)
            break;

        close(slot);
        usleep(50000); /* the driver is not there yet */
    } while (1);

    setsockopt(slot, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);

    for (;;) {
        unsigned char head[2];
        exactly(head, 2);
        size_t size = (size_t)head[0] << 8 | head[1];
        exactly(message, size);

        if (size == 1 && message[0] == ATR)
            answer(atr, sizeof atr);
        else if (size > 1)
            answer(response, length);
    }
}
