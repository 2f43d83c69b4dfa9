/* Connections to the server: a unix socket each, and a buffer for both ways. */
#ifndef CARDTWIN_CONNECTION_H
#define CARDTWIN_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/un.h>

#define CT_LONGEST_FRAME ((size_t)1 << 28)
#define CT_FRAME_LENGTH 4

struct ct_connection {
    struct ct_connection *next; /* in the list of all */
    uint64_t instance;          /* the C_Initialize it was opened under */
    int fd;
    bool busy;
    bool waiting; /* the call may take as long as it likes; C_Finalize ends it */
    unsigned char *bytes;
    size_t size;
};

/* Where the server is, and how long an answer may take: as the environment said at C_Initialize. */
struct ct_server {
    struct sockaddr_un address;
    struct timeval limit;
};

/* Says once in a process what keeps the library from its server. */
void ct_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Reads the environment; false if it names no server. */
bool ct_find_server(struct ct_server *server);
/* Makes a socket that is not connected yet; -1 if that cannot be done. */
int ct_socket(const struct ct_server *server);
/* Connects it. */
bool ct_connect(int fd, const struct ct_server *server);
/* Makes the buffer at least so large; false if there is no memory. */
bool ct_reserve(struct ct_connection *connection, size_t size);
/* Sends `length` bytes of the buffer, and wipes them: there may be a PIN among them. */
bool ct_send(struct ct_connection *connection, size_t length);
/* Receives a frame into the buffer; returns the bytes after its length, or -1. */
ptrdiff_t ct_receive(struct ct_connection *connection);
/* Lets receiving take as long as it likes. */
bool ct_wait_for_ever(struct ct_connection *connection);
void ct_free(struct ct_connection *connection);

#endif
