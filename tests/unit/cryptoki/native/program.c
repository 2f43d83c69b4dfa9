/* A program that uses the library as C programs do: threads, fork, waiting, and beginning again. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef unsigned long CK_RV, CK_ULONG;
typedef unsigned char CK_BYTE;

CK_RV C_Initialize(void *);
CK_RV C_Finalize(void *);
CK_RV C_GetInfo(void *);
CK_RV C_Sign(CK_ULONG, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *);
CK_RV C_WaitForSlotEvent(CK_ULONG, CK_ULONG *, void *);

enum { THREADS = 4, CALLS = 200, ROUNDS = 5, NOT_INITIALIZED = 0x190 };

static void expect(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

static CK_RV sign(size_t size)
{
    CK_BYTE *data = malloc(size), *signature = malloc(size);
    CK_ULONG length = size;
    CK_RV rv;

    for (size_t at = 0; at < size; at++)
        data[at] = (CK_BYTE)at;

    rv = C_Sign(1, data, size, signature, &length);

    if (rv == 0)
        for (size_t at = 0; at < size; at++)
            expect(signature[at] == data[size - 1 - at], "the signature");

    free(data);
    free(signature);
    return rv;
}

static void *call(void *argument)
{
    size_t size = 1 + (size_t)argument * 3000;

    for (int at = 0; at < CALLS; at++) {
        CK_RV rv = sign(size);
        expect(rv == 0 || rv == NOT_INITIALIZED, "C_Sign");
    }

    return NULL;
}

static void *wait_for_event(void *argument)
{
    CK_ULONG slot;

    (void)argument;
    expect(C_WaitForSlotEvent(0, &slot, NULL) == NOT_INITIALIZED, "C_WaitForSlotEvent");
    return NULL;
}

static void fork_and_call(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        CK_BYTE info[88];
        int good = C_GetInfo(info) == NOT_INITIALIZED && C_Initialize(NULL) == 0 && sign(10) == 0 &&
                   C_Finalize(NULL) == 0;
        _exit(good ? 0 : 1);
    }

    expect(waitpid(child, &status, 0) == child && status == 0, "the child");
}

static void one_round(void)
{
    pthread_t threads[THREADS], waiting;

    expect(C_Initialize(NULL) == 0, "C_Initialize");
    pthread_create(&waiting, NULL, wait_for_event, NULL);

    for (size_t at = 0; at < THREADS; at++)
        pthread_create(&threads[at], NULL, call, (void *)at);

    fork_and_call();
    expect(sign(2000000) == 0, "a long C_Sign");
    expect(C_Finalize(NULL) == 0, "C_Finalize");

    for (size_t at = 0; at < THREADS; at++)
        pthread_join(threads[at], NULL);

    pthread_join(waiting, NULL);
}

int main(void)
{
    for (int at = 0; at < ROUNDS; at++)
        one_round();

    puts("done");
    return 0;
}
