#define _GNU_SOURCE
#include "library.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "runtime.h"

_Static_assert(sizeof(CK_ULONG) == 8, "the server's side takes CK_ULONG to have 8 bytes: a 64-bit Unix");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the values of attributes are carried as they lie in memory");

enum stage { ENDED, STARTING, STARTED, ENDING };

/* Held for a few instructions at a time, and never while anything is waited for. CK_C_INITIALIZE_ARGS may bring an
 * application's own mutexes; the system's do all that those could, as nothing of the application runs under them. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Signalled when what was STARTING or ENDING is that no longer. */
static pthread_cond_t settled = PTHREAD_COND_INITIALIZER;

static struct {
    enum stage stage;
    pid_t process;
    uint64_t instance;
    struct ct_server server;
    struct ct_connection *control; /* carries C_Initialize and C_Finalize; its end tells the server of ours */
    struct ct_connection *all;
} library;

static const unsigned char GREETING[] = "cardtwin";

/* ---- fork: the child is not initialised, and does not keep its parent's connections open ---- */

static void forget(void)
{
    /* The memory stays where it is: between fork and exec nothing may be freed. */
    for (struct ct_connection *each = library.all; each != NULL; each = each->next)
        if (each->fd >= 0)
            close(each->fd);

    memset(&library, 0, sizeof library);
    settled = (pthread_cond_t)PTHREAD_COND_INITIALIZER; /* its waiting threads are the parent's */
}

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void)
{
    forget();
    pthread_mutex_unlock(&lock);
}

static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

/* Takes the lock, and looks whether this is still the process that was initialised: clone() runs no handlers. */
static void enter(void)
{
    pthread_mutex_lock(&lock);

    if (library.stage != ENDED && library.process != getpid())
        forget();
}

static void leave(void)
{
    pthread_mutex_unlock(&lock);
}

/* ---- connections ---- */

static void remove_from_all(struct ct_connection *connection)
{
    struct ct_connection **place = &library.all;

    while (*place != NULL && *place != connection)
        place = &(*place)->next;

    if (*place != NULL)
        *place = connection->next;
}

static void drop(struct ct_connection *connection)
{
    enter();
    remove_from_all(connection);
    leave();
    ct_free(connection);
}

static bool greet(struct ct_connection *connection, bool control)
{
    struct ct_call call = {.connection = connection, .at = CT_FRAME_LENGTH};

    for (size_t at = 0; at < sizeof GREETING - 1; at++)
        ct_put_byte(&call, GREETING[at]);

    for (unsigned shift = 0; shift < 32; shift += 8)
        ct_put_byte(&call, ct_sum_of_table >> shift & 0xFF);

    ct_put_ulong(&call, connection->instance);
    ct_put_byte(&call, control);
    ct_exchange(&call);
    return call.failure == CKR_OK && call.rv == CKR_OK;
}

/* Opens a connection for `instance`; it is busy, and in the list of all. */
static CK_RV open_connection(struct ct_connection **opened, uint64_t instance, bool control, bool waiting)
{
    struct ct_connection *connection = calloc(1, sizeof *connection);
    struct ct_server server;

    if (connection == NULL)
        return CKR_HOST_MEMORY;

    connection->busy = true;
    connection->waiting = waiting;
    connection->instance = instance;

    enter();
    server = library.server;
    connection->fd = ct_socket(&server);
    connection->next = library.all;
    library.all = connection;
    leave();

    if (!ct_connect(connection->fd, &server) || !greet(connection, control)) {
        drop(connection);
        return CKR_DEVICE_ERROR;
    }

    *opened = connection;
    return CKR_OK;
}

CK_RV ct_acquire(struct ct_connection **connection, bool waiting)
{
    struct ct_connection *found = NULL;
    uint64_t instance = 0;
    bool started;

    enter();
    started = library.stage == STARTED;

    if (started) {
        instance = library.instance;

        for (found = library.all; found != NULL && (found->busy || found->instance != instance); found = found->next)
            ;

        if (found != NULL) {
            found->busy = true;
            found->waiting = waiting;
        }
    }

    leave();

    if (!started)
        return CKR_CRYPTOKI_NOT_INITIALIZED;

    if (found == NULL) {
        CK_RV rv = open_connection(&found, instance, false, waiting);

        if (rv != CKR_OK)
            return ct_holds(instance) ? rv : CKR_CRYPTOKI_NOT_INITIALIZED;
    }

    *connection = found;
    return CKR_OK;
}

bool ct_holds(uint64_t instance)
{
    bool holds;

    enter();
    holds = library.stage == STARTED && library.instance == instance;
    leave();
    return holds;
}

void ct_release(struct ct_connection *connection, bool broken)
{
    bool keep;

    enter();
    keep = !broken && !connection->waiting && library.stage == STARTED && library.instance == connection->instance;

    if (keep)
        connection->busy = false;
    else
        remove_from_all(connection);

    leave();

    if (!keep)
        ct_free(connection);
}

/* ---- C_Initialize and C_Finalize ---- */

static uint64_t new_instance(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static CK_RV control_call(struct ct_connection *control, unsigned number)
{
    struct ct_call call = {.connection = control, .at = CT_FRAME_LENGTH};

    ct_put_byte(&call, number & 0xFF);
    ct_put_byte(&call, number >> 8);

    if (number == ct_number_of_finalize)
        ct_put_pointer(&call, NULL);

    ct_exchange(&call);
    return call.failure != CKR_OK ? call.failure : call.rv;
}

/* The rules of clause 5.4 (C_Initialize): all four functions for mutexes or none, and nothing reserved. */
static bool are_arguments_good(const CK_C_INITIALIZE_ARGS *arguments)
{
    int functions;

    if (arguments == NULL)
        return true;

    functions = (arguments->CreateMutex != NULL) + (arguments->DestroyMutex != NULL) +
                (arguments->LockMutex != NULL) + (arguments->UnlockMutex != NULL);
    return arguments->pReserved == NULL && (functions == 0 || functions == 4);
}

static CK_RV start(uint64_t instance, struct ct_connection **control)
{
    struct ct_server server;
    CK_RV rv;

    if (!ct_find_server(&server))
        return CKR_DEVICE_ERROR;

    enter();
    library.server = server;
    leave();
    rv = open_connection(control, instance, true, false);

    if (rv != CKR_OK) {
        ct_complain("the server refuses this library: it is another user's, or was built by another version of cardtwin");
        return rv;
    }

    rv = control_call(*control, ct_number_of_initialize);

    if (rv != CKR_OK)
        drop(*control);

    return rv;
}

CT_EXPORT CK_RV C_Initialize(CK_VOID_PTR pInitArgs);

CK_RV C_Initialize(CK_VOID_PTR pInitArgs)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ct_connection *control = NULL;
    uint64_t instance = new_instance();
    bool ended;
    CK_RV rv;

    if (!are_arguments_good(pInitArgs))
        return CKR_ARGUMENTS_BAD;

    pthread_once(&once, watch_forks);
    enter();

    /* Another thread's C_Initialize or C_Finalize: to be told that the library is initialised is to find it so. */
    while (library.stage == STARTING || library.stage == ENDING)
        pthread_cond_wait(&settled, &lock);

    ended = library.stage == ENDED;

    if (ended) {
        library.stage = STARTING;
        library.process = getpid();
        library.instance = instance;
    }

    leave();

    if (!ended)
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;

    rv = start(instance, &control);

    enter();
    library.control = rv == CKR_OK ? control : NULL;
    library.stage = rv == CKR_OK ? STARTED : ENDED;
    pthread_cond_broadcast(&settled);
    leave();
    return rv;
}

/* Closes what is idle, and ends calls that wait; those of other threads that have an answer coming close their own. */
static void close_all(void)
{
    struct ct_connection **place = &library.all;

    while (*place != NULL) {
        struct ct_connection *each = *place;

        if (each->busy && each != library.control) {
            if (each->waiting)
                shutdown(each->fd, SHUT_RDWR);

            place = &each->next;
        } else {
            *place = each->next;
            ct_free(each);
        }
    }

    library.control = NULL;
}

CT_EXPORT CK_RV C_Finalize(CK_VOID_PTR pReserved);

CK_RV C_Finalize(CK_VOID_PTR pReserved)
{
    struct ct_connection *control = NULL;

    if (pReserved != NULL)
        return CKR_ARGUMENTS_BAD;

    enter();

    if (library.stage == STARTED) {
        library.stage = ENDING;
        control = library.control;
    }

    leave();

    if (control == NULL)
        return CKR_CRYPTOKI_NOT_INITIALIZED;

    /* Whatever comes of it: the library has ended then, and a lost server has nothing left to be told. */
    control_call(control, ct_number_of_finalize);

    enter();
    close_all();
    library.stage = ENDED;
    pthread_cond_broadcast(&settled);
    leave();
    return CKR_OK;
}
