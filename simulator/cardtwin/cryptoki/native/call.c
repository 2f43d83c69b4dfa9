/* A call's bytes; cryptoki/wire.py has the other half, and says what they are. */
#include <stdlib.h>
#include <string.h>

#include "library.h"
#include "runtime.h"

/* A larger buffer than this is given back after the call. */
#define KEPT_SIZE ((size_t)1 << 20)

static void fail(struct ct_call *call, CK_RV rv)
{
    if (call->failure == CKR_OK)
        call->failure = rv;
}

/* An answer that is none: the connection is out of step. */
static void fail_answer(struct ct_call *call)
{
    call->broken = true;
    fail(call, CKR_DEVICE_ERROR);
}

CK_RV ct_begin(struct ct_call *call, unsigned number, bool waits)
{
    CK_RV rv;

    memset(call, 0, sizeof *call);
    rv = ct_acquire(&call->connection, waits);

    if (rv != CKR_OK)
        return rv;

    call->waits = waits;
    call->at = CT_FRAME_LENGTH;
    ct_put_byte(call, number & 0xFF);
    ct_put_byte(call, number >> 8);
    return CKR_OK;
}

/* ---- arguments ---- */

/* Returns where `length` bytes may be written, or NULL. */
static unsigned char *room_for(struct ct_call *call, size_t length)
{
    unsigned char *place;

    if (call->failure != CKR_OK)
        return NULL;

    if (length > CT_LONGEST_FRAME || call->at + length > CT_LONGEST_FRAME) {
        fail(call, CKR_ARGUMENTS_BAD);
        return NULL;
    }

    if (!ct_reserve(call->connection, call->at + length)) {
        fail(call, CKR_HOST_MEMORY);
        return NULL;
    }

    place = call->connection->bytes + call->at;
    call->at += length;
    return place;
}

static void put_number(unsigned char *place, uint64_t value, unsigned size)
{
    for (unsigned at = 0; at < size; at++)
        place[at] = (unsigned char)(value >> 8 * at);
}

static uint64_t get_number(const unsigned char *place, unsigned size)
{
    uint64_t value = 0;

    for (unsigned at = 0; at < size; at++)
        value |= (uint64_t)place[at] << 8 * at;

    return value;
}

void ct_put_byte(struct ct_call *call, unsigned byte)
{
    unsigned char *place = room_for(call, 1);

    if (place != NULL)
        *place = (unsigned char)byte;
}

void ct_put_ulong(struct ct_call *call, CK_ULONG value)
{
    unsigned char *place = room_for(call, 8);

    if (place != NULL)
        put_number(place, value, 8);
}

static enum ct_mark mark_of(const void *pointer, CK_ULONG length)
{
    return pointer != NULL ? CT_THERE : length == 0 ? CT_NULL : CT_BAD;
}

void ct_put_pointer(struct ct_call *call, const void *pointer)
{
    ct_put_byte(call, mark_of(pointer, 0));
}

void ct_put_data(struct ct_call *call, const void *pointer, CK_ULONG length)
{
    unsigned char *place;

    ct_put_byte(call, mark_of(pointer, length));

    if (pointer == NULL)
        return;

    ct_put_ulong(call, length);
    place = room_for(call, length);

    if (place != NULL && length > 0)
        memcpy(place, pointer, length);
}

/* Puts how many elements an array has; false if there are none to be read. */
static bool put_count(struct ct_call *call, const void *array, CK_ULONG count)
{
    ct_put_byte(call, mark_of(array, count));

    if (array == NULL)
        return false;

    /* Each takes a byte at least: so nothing is read that could not be carried. */
    if (count > CT_LONGEST_FRAME)
        fail(call, CKR_ARGUMENTS_BAD);

    ct_put_ulong(call, count);
    return call->failure == CKR_OK;
}

void ct_put_template(struct ct_call *call, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    if (!put_count(call, template, count))
        return;

    for (CK_ULONG at = 0; at < count && call->failure == CKR_OK; at++) {
        ct_put_ulong(call, template[at].type);
        ct_put_data(call, template[at].pValue, template[at].ulValueLen);
    }
}

void ct_put_values(struct ct_call *call, const cardtwin_value *values, CK_ULONG count)
{
    if (!put_count(call, values, count))
        return;

    for (CK_ULONG at = 0; at < count && call->failure == CKR_OK; at++) {
        ct_put_data(call, values[at].pName, values[at].ulNameLen);
        ct_put_data(call, values[at].pValue, values[at].ulValueLen);
    }
}

void ct_put_query(struct ct_call *call, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    if (!put_count(call, template, count))
        return;

    for (CK_ULONG at = 0; at < count && call->failure == CKR_OK; at++) {
        ct_put_ulong(call, template[at].type);
        ct_put_pointer(call, template[at].pValue);

        if (template[at].pValue != NULL)
            ct_put_ulong(call, template[at].ulValueLen);
    }
}

CK_ULONG ct_put_room(struct ct_call *call, const void *pointer, const CK_ULONG *length)
{
    ct_put_byte(call, length == NULL ? CT_BAD : pointer == NULL ? CT_NULL : CT_THERE);

    if (length == NULL || pointer == NULL)
        return 0;

    ct_put_ulong(call, *length);
    return *length;
}

void ct_put_filling(struct ct_call *call, const void *pointer, CK_ULONG length)
{
    /* Nothing is asked for that the answer could not bring. */
    if (length > CT_LONGEST_FRAME / 2)
        fail(call, CKR_ARGUMENTS_BAD);

    ct_put_byte(call, pointer == NULL && length > 0 ? CT_BAD : CT_THERE);

    if (pointer != NULL || length == 0)
        ct_put_ulong(call, length);
}

void ct_put_found(struct ct_call *call, const CK_ULONG *array, CK_ULONG room, const CK_ULONG *count)
{
    bool bad = count == NULL || (array == NULL && room > 0);

    ct_put_byte(call, bad ? CT_BAD : CT_THERE);

    if (!bad)
        ct_put_ulong(call, room);
}

/* ---- the answer ---- */

bool ct_exchange(struct ct_call *call)
{
    struct ct_connection *connection = call->connection;
    unsigned char head[9];
    ptrdiff_t length;

    if (call->failure != CKR_OK)
        return false;

    put_number(connection->bytes, call->at - CT_FRAME_LENGTH, CT_FRAME_LENGTH);

    if ((call->waits && !ct_wait_for_ever(connection)) || !ct_send(connection, call->at)) {
        fail_answer(call);
        return false;
    }

    length = ct_receive(connection);

    if (length < 0) {
        fail_answer(call);
        return false;
    }

    call->at = CT_FRAME_LENGTH;
    call->end = CT_FRAME_LENGTH + (size_t)length;
    ct_get_bytes(call, head, sizeof head);

    if (call->failure != CKR_OK)
        return false;

    call->rv = get_number(head, 8);
    return head[8] != 0;
}

CK_RV ct_end(struct ct_call *call)
{
    struct ct_connection *connection = call->connection;
    CK_RV rv = call->failure != CKR_OK ? call->failure : call->rv;

    if (call->failure == CKR_OK && call->end != 0 && call->at != call->end) {
        fail_answer(call);
        rv = CKR_DEVICE_ERROR;
    }

    /* What C_Finalize has cut short in another thread is no fault of the server's. */
    if (call->broken && !ct_holds(connection->instance))
        rv = CKR_CRYPTOKI_NOT_INITIALIZED;

    if (connection->size > KEPT_SIZE)
        call->broken = true;

    ct_release(connection, call->broken);
    return rv;
}

/* Returns the next `length` bytes of the answer, or NULL. */
static const unsigned char *next(struct ct_call *call, CK_ULONG length)
{
    const unsigned char *place;

    if (call->failure != CKR_OK)
        return NULL;

    if (length > call->end - call->at) {
        fail_answer(call);
        return NULL;
    }

    place = call->connection->bytes + call->at;
    call->at += length;
    return place;
}

bool ct_is_there(struct ct_call *call, const void *target)
{
    if (target == NULL)
        fail_answer(call);

    return call->failure == CKR_OK;
}

void ct_get_bytes(struct ct_call *call, void *target, size_t length)
{
    const unsigned char *place = next(call, length);

    if (place != NULL && length > 0)
        memcpy(target, place, length);
}

static CK_ULONG next_ulong(struct ct_call *call)
{
    const unsigned char *place = next(call, 8);
    return place != NULL ? get_number(place, 8) : 0;
}

static bool next_flag(struct ct_call *call)
{
    const unsigned char *place = next(call, 1);
    return place != NULL && *place != 0;
}

void ct_get_ulong(struct ct_call *call, CK_ULONG *target)
{
    CK_ULONG value = next_ulong(call);

    if (ct_is_there(call, target))
        *target = value;
}

static void get_ulongs(struct ct_call *call, CK_ULONG *target, CK_ULONG count)
{
    for (CK_ULONG at = 0; at < count && call->failure == CKR_OK; at++)
        ct_get_ulong(call, &target[at]);
}

void ct_get_buffer(struct ct_call *call, CK_BYTE *target, CK_ULONG *length, CK_ULONG room)
{
    CK_ULONG count = next_ulong(call);

    if (next_flag(call)) {
        if (target == NULL || count > room)
            fail_answer(call);
        else
            ct_get_bytes(call, target, count);
    }

    if (ct_is_there(call, length))
        *length = count;
}

void ct_get_list(struct ct_call *call, CK_ULONG *target, CK_ULONG *count, CK_ULONG room)
{
    CK_ULONG found = next_ulong(call);

    if (next_flag(call)) {
        if (target == NULL || found > room)
            fail_answer(call);
        else
            get_ulongs(call, target, found);
    }

    if (ct_is_there(call, count))
        *count = found;
}

void ct_get_found(struct ct_call *call, CK_ULONG *target, CK_ULONG *count, CK_ULONG room)
{
    CK_ULONG found = next_ulong(call);

    if (found > room)
        fail_answer(call);
    else
        get_ulongs(call, target, found);

    if (ct_is_there(call, count))
        *count = found;
}

void ct_get_filling(struct ct_call *call, CK_BYTE *target, CK_ULONG length)
{
    if (next_ulong(call) != length)
        fail_answer(call);

    ct_get_bytes(call, target, length);
}

void ct_get_readings(struct ct_call *call, CK_ATTRIBUTE *template, CK_ULONG count)
{
    if (next_ulong(call) != count)
        fail_answer(call);

    for (CK_ULONG at = 0; at < count && call->failure == CKR_OK; at++) {
        CK_ULONG length = next_ulong(call);

        if (next_flag(call)) {
            if (template[at].pValue == NULL || length > template[at].ulValueLen)
                fail_answer(call);
            else
                ct_get_bytes(call, template[at].pValue, length);
        }

        if (call->failure == CKR_OK)
            template[at].ulValueLen = length;
    }
}
