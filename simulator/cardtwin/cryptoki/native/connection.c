#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_VARIABLE "CARDTWIN_SOCKET"
#define TIMEOUT_VARIABLE "CARDTWIN_TIMEOUT"
#define TIMEOUT_SECONDS 120
#define FIRST_SIZE 4096

void ct_complain(const char *format, ...)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    char line[512];
    va_list arguments;

    if (atomic_flag_test_and_set(&said))
        return;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fprintf(stderr, "cardtwin: %s\n", line);
}

/* The seconds that an answer may take: a server that hangs shall not hang its clients. */
static struct timeval timeout(void)
{
    const char *text = secure_getenv(TIMEOUT_VARIABLE);
    char *end = NULL;
    long seconds = text != NULL ? strtol(text, &end, 10) : TIMEOUT_SECONDS;

    if (text != NULL && (end == text || *end != '\0' || seconds < 1 || seconds > 1000000)) {
        ct_complain("%s=%s is no number of seconds; %d are taken", TIMEOUT_VARIABLE, text, TIMEOUT_SECONDS);
        seconds = TIMEOUT_SECONDS;
    }

    return (struct timeval){.tv_sec = seconds, .tv_usec = 0};
}

static bool address_of_server(struct sockaddr_un *address)
{
    const char *path = secure_getenv(SOCKET_VARIABLE);

    if (path == NULL || *path == '\0') {
        ct_complain("%s is not set, so there is no server to ask; cardtwin exec and cardtwin serve set it",
                    SOCKET_VARIABLE);
        return false;
    }

    if (strlen(path) >= sizeof address->sun_path) {
        ct_complain("%s has %zu bytes, and a socket's path at most %zu", SOCKET_VARIABLE, strlen(path),
                    sizeof address->sun_path - 1);
        return false;
    }

    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, strlen(path) + 1);
    return true;
}

bool ct_find_server(struct ct_server *server)
{
    server->limit = timeout();
    return address_of_server(&server->address);
}

int ct_socket(const struct ct_server *server)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        ct_complain("no socket can be had: %s", strerror(errno));
        return -1;
    }

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &server->limit, sizeof server->limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &server->limit, sizeof server->limit);
    return fd;
}

bool ct_connect(int fd, const struct ct_server *server)
{
    int result;

    if (fd < 0)
        return false;

    do
        result = connect(fd, (const struct sockaddr *)&server->address, sizeof server->address);
    while (result < 0 && errno == EINTR);

    if (result < 0)
        ct_complain("no server answers at %s: %s", server->address.sun_path, strerror(errno));

    return result == 0;
}

bool ct_wait_for_ever(struct ct_connection *connection)
{
    struct timeval none = {0, 0};
    return setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none) == 0;
}

bool ct_reserve(struct ct_connection *connection, size_t size)
{
    size_t larger = connection->size < FIRST_SIZE ? FIRST_SIZE : connection->size;
    unsigned char *bytes;

    if (size <= connection->size)
        return true;

    while (larger < size)
        larger *= 2;

    /* Not realloc: what was written may be a PIN, and is not left behind. */
    bytes = malloc(larger);

    if (bytes == NULL)
        return false;

    if (connection->bytes != NULL) {
        memcpy(bytes, connection->bytes, connection->size);
        explicit_bzero(connection->bytes, connection->size);
        free(connection->bytes);
    }

    connection->bytes = bytes;
    connection->size = larger;
    return true;
}

bool ct_send(struct ct_connection *connection, size_t length)
{
    size_t sent = 0;

    while (sent < length) {
        ssize_t count = send(connection->fd, connection->bytes + sent, length - sent, MSG_NOSIGNAL);

        if (count >= 0)
            sent += (size_t)count;
        else if (errno != EINTR)
            break;
    }

    explicit_bzero(connection->bytes, length);
    return sent == length;
}

/* Receives until the buffer holds `wanted` bytes; `had` of them are there already. Returns how many there are. */
static size_t fill(struct ct_connection *connection, size_t had, size_t wanted)
{
    while (had < wanted) {
        ssize_t count = recv(connection->fd, connection->bytes + had, connection->size - had, 0);

        if (count > 0)
            had += (size_t)count;
        else if (count == 0 || errno != EINTR)
            break;
    }

    return had;
}

ptrdiff_t ct_receive(struct ct_connection *connection)
{
    const unsigned char *bytes;
    size_t had, length;

    if (!ct_reserve(connection, FIRST_SIZE))
        return -1;

    had = fill(connection, 0, CT_FRAME_LENGTH);

    if (had < CT_FRAME_LENGTH)
        return -1;

    bytes = connection->bytes;
    length = (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;

    if (length > CT_LONGEST_FRAME || !ct_reserve(connection, CT_FRAME_LENGTH + length))
        return -1;

    /* One answer to one question: more than the frame is no frame. */
    return fill(connection, had, CT_FRAME_LENGTH + length) == CT_FRAME_LENGTH + length ? (ptrdiff_t)length : -1;
}

void ct_free(struct ct_connection *connection)
{
    if (connection->fd >= 0)
        close(connection->fd);

    if (connection->bytes != NULL)
        explicit_bzero(connection->bytes, connection->size);

    free(connection->bytes);
    free(connection);
}
