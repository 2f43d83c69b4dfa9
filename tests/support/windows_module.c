/* A PKCS#11 library as Windows has them: CK_ULONG of 32 bits, structures without gaps. It holds one token with one
 * object, and answers from what it finds where that layout says it is. It is compiled by the test that loads it. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma pack(push, 1)
typedef uint32_t CK_ULONG;
typedef struct { unsigned char major, minor; } CK_VERSION;
typedef struct { CK_ULONG type; void *pValue; CK_ULONG ulValueLen; } CK_ATTRIBUTE;
typedef struct { CK_ULONG mechanism; void *pParameter; CK_ULONG ulParameterLen; } CK_MECHANISM;
typedef struct { void *mutexes[4]; CK_ULONG flags; void *pReserved; } CK_C_INITIALIZE_ARGS;
typedef struct {
    CK_VERSION cryptokiVersion;
    unsigned char manufacturerID[32];
    CK_ULONG flags;
    unsigned char libraryDescription[32];
    CK_VERSION libraryVersion;
} CK_INFO;
typedef struct {
    unsigned char slotDescription[64], manufacturerID[32];
    CK_ULONG flags;
    CK_VERSION hardwareVersion, firmwareVersion;
} CK_SLOT_INFO;
typedef struct {
    unsigned char label[32], manufacturerID[32], model[16], serialNumber[16];
    CK_ULONG flags, ulMaxSessionCount, ulSessionCount, ulMaxRwSessionCount, ulRwSessionCount;
    CK_ULONG ulMaxPinLen, ulMinPinLen, ulTotalPublicMemory, ulFreePublicMemory, ulTotalPrivateMemory;
    CK_ULONG ulFreePrivateMemory;
    CK_VERSION hardwareVersion, firmwareVersion;
    unsigned char utcTime[16];
} CK_TOKEN_INFO;
typedef struct { CK_ULONG ulMinKeySize, ulMaxKeySize, flags; } CK_MECHANISM_INFO;
typedef struct { CK_ULONG slotID, state, flags, ulDeviceError; } CK_SESSION_INFO;
typedef struct { CK_ULONG hashAlg, mgf, sLen; } CK_RSA_PKCS_PSS_PARAMS;
typedef struct {
    CK_ULONG hashAlg, mgf, source;
    void *pSourceData;
    CK_ULONG ulSourceDataLen;
} CK_RSA_PKCS_OAEP_PARAMS;
typedef struct {
    CK_ULONG kdf, ulSharedDataLen;
    unsigned char *pSharedData;
    CK_ULONG ulPublicDataLen;
    unsigned char *pPublicData;
} CK_ECDH1_DERIVE_PARAMS;
typedef struct {
    unsigned char *pIv;
    CK_ULONG ulIvLen, ulIvBits;
    unsigned char *pAAD;
    CK_ULONG ulAADLen, ulTagBits;
} CK_GCM_PARAMS;
typedef struct {
    CK_ULONG ulDataLen;
    unsigned char *pNonce;
    CK_ULONG ulNonceLen;
    unsigned char *pAAD;
    CK_ULONG ulAADLen, ulMACLen;
} CK_CCM_PARAMS;
typedef struct { CK_VERSION version; void *functions[68]; } CK_FUNCTION_LIST;
#pragma pack(pop)

enum { OK = 0, ARGUMENTS_BAD = 7, BUFFER_TOO_SMALL = 0x150, SENSITIVE = 0x11, PARAMETER_INVALID = 0x71, PIN_INCORRECT = 0xA0 };
enum { CLASS = 0, LABEL = 3, MODULUS = 0x120, PRIVATE_EXPONENT = 0x123, ALLOWED_MECHANISMS = 0x40000600 };

static CK_ULONG wanted;

static CK_ULONG initialize(CK_C_INITIALIZE_ARGS *arguments)
{
    return arguments != NULL && arguments->flags == 2 && arguments->pReserved == NULL ? OK : ARGUMENTS_BAD;
}

static CK_ULONG get_info(CK_INFO *info)
{
    memset(info, ' ', sizeof *info);
    info->cryptokiVersion = (CK_VERSION){2, 20};
    memcpy(info->manufacturerID, "Packed", 6);
    info->flags = 0;
    memcpy(info->libraryDescription, "Nothing between", 15);
    info->libraryVersion = (CK_VERSION){4, 5};
    return OK;
}

static CK_ULONG get_slot_list(unsigned char present, CK_ULONG *slots, CK_ULONG *count)
{
    if (slots != NULL && *count < 2)
        return *count = 2, BUFFER_TOO_SMALL;

    if (slots != NULL)
        slots[0] = 7, slots[1] = present ? 8 : 9;

    *count = 2;
    return OK;
}

static CK_ULONG get_token_info(CK_ULONG slot, CK_TOKEN_INFO *info)
{
    memset(info, ' ', sizeof *info);
    memcpy(info->label, "Token", 5);
    info->flags = slot;
    info->ulMaxSessionCount = 0;
    info->ulSessionCount = 1;
    info->ulMaxRwSessionCount = 2;
    info->ulRwSessionCount = 3;
    info->ulMaxPinLen = 8;
    info->ulMinPinLen = 4;
    info->ulTotalPublicMemory = info->ulFreePublicMemory = ~(CK_ULONG)0;
    info->ulTotalPrivateMemory = info->ulFreePrivateMemory = 5;
    info->hardwareVersion = (CK_VERSION){1, 2};
    info->firmwareVersion = (CK_VERSION){3, 4};
    return OK;
}

static CK_ULONG open_session(CK_ULONG slot, CK_ULONG flags, void *application, void *notify, CK_ULONG *session)
{
    *session = slot << 8 | flags;
    return application == NULL && notify == NULL ? OK : ARGUMENTS_BAD;
}

static CK_ULONG login(CK_ULONG session, CK_ULONG user, const char *pin, CK_ULONG length)
{
    return session == 0x706 && user == 1 && length == 4 && memcmp(pin, "1234", 4) == 0 ? OK : PIN_INCORRECT;
}

static CK_ULONG find_init(CK_ULONG session, CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_ULONG class;

    (void)session;

    if (count != 2 || template[0].type != CLASS || template[0].ulValueLen != sizeof class)
        return ARGUMENTS_BAD;

    memcpy(&class, template[0].pValue, sizeof class);
    wanted = class;
    return template[1].type == LABEL && template[1].ulValueLen == 3 && memcmp(template[1].pValue, "Key", 3) == 0
               ? OK
               : ARGUMENTS_BAD;
}

static CK_ULONG find(CK_ULONG session, CK_ULONG *objects, CK_ULONG most, CK_ULONG *count)
{
    (void)session;
    objects[0] = wanted;
    objects[1] = 0xFFFFFFFE;
    *count = most < 2 ? most : 2;
    return OK;
}

static CK_ULONG put(CK_ATTRIBUTE *attribute, const void *value, CK_ULONG length)
{
    CK_ULONG room = attribute->ulValueLen;

    attribute->ulValueLen = length;

    if (attribute->pValue == NULL)
        return OK;

    if (room < length)
        return attribute->ulValueLen = ~(CK_ULONG)0, BUFFER_TOO_SMALL;

    memcpy(attribute->pValue, value, length);
    return OK;
}

static CK_ULONG get_attributes(CK_ULONG session, CK_ULONG object, CK_ATTRIBUTE *template, CK_ULONG count)
{
    static const CK_ULONG mechanisms[] = {1, 0x40};
    CK_ULONG rv = OK, one = 0;

    (void)session;

    for (CK_ULONG at = 0; at < count; at++) {
        switch (template[at].type) {
        case CLASS:
            one = put(&template[at], &object, sizeof object);
            break;
        case ALLOWED_MECHANISMS:
            one = put(&template[at], mechanisms, sizeof mechanisms);
            break;
        case MODULUS:
            one = template[at].pValue != NULL && template[at].ulValueLen < 256 ? BUFFER_TOO_SMALL : OK;
            template[at].ulValueLen = 256;
            break;
        case PRIVATE_EXPONENT:
            template[at].ulValueLen = ~(CK_ULONG)0;
            one = SENSITIVE;
            break;
        default:
            one = put(&template[at], "Key", 3);
        }

        rv = one != OK ? one : rv;
    }

    return rv;
}

static CK_ULONG sign_init(CK_ULONG session, CK_MECHANISM *mechanism, CK_ULONG key)
{
    CK_RSA_PKCS_OAEP_PARAMS *oaep = mechanism->pParameter;

    (void)session;

    if (key != 3 || mechanism->mechanism != 9 || mechanism->ulParameterLen != sizeof *oaep)
        return ARGUMENTS_BAD;

    return oaep->hashAlg == 1 && oaep->mgf == 2 && oaep->source == 4 && oaep->ulSourceDataLen == 5 &&
                   memcmp(oaep->pSourceData, "label", 5) == 0
               ? OK
               : PARAMETER_INVALID;
}

static CK_ULONG sign(CK_ULONG session, unsigned char *data, CK_ULONG length, unsigned char *out, CK_ULONG *room)
{
    (void)session;

    if (out != NULL && *room < length)
        return *room = length, BUFFER_TOO_SMALL;

    if (out != NULL)
        memcpy(out, data, length);

    *room = length;
    return OK;
}

static CK_FUNCTION_LIST list;

CK_ULONG C_GetFunctionList(CK_FUNCTION_LIST **place)
{
    list.version = (CK_VERSION){2, 20};
    list.functions[0] = (void *)initialize;
    list.functions[2] = (void *)get_info;
    list.functions[4] = (void *)get_slot_list;
    list.functions[6] = (void *)get_token_info;
    list.functions[12] = (void *)open_session;
    list.functions[18] = (void *)login;
    list.functions[24] = (void *)get_attributes;
    list.functions[26] = (void *)find_init;
    list.functions[27] = (void *)find;
    list.functions[42] = (void *)sign_init;
    list.functions[43] = (void *)sign;
    *place = &list;
    return OK;
}

#define SIZE(type) {#type, "", sizeof(type)}
#define AT(type, member) {#type, #member, offsetof(type, member)}

const struct { const char *type, *member; size_t value; } layout[] = {
    SIZE(CK_ATTRIBUTE), AT(CK_ATTRIBUTE, type), AT(CK_ATTRIBUTE, pValue), AT(CK_ATTRIBUTE, ulValueLen),
    SIZE(CK_MECHANISM), AT(CK_MECHANISM, pParameter), AT(CK_MECHANISM, ulParameterLen),
    SIZE(CK_C_INITIALIZE_ARGS), AT(CK_C_INITIALIZE_ARGS, flags), AT(CK_C_INITIALIZE_ARGS, pReserved),
    SIZE(CK_FUNCTION_LIST), AT(CK_FUNCTION_LIST, functions),
    SIZE(CK_INFO), AT(CK_INFO, flags), AT(CK_INFO, libraryDescription), AT(CK_INFO, libraryVersion),
    SIZE(CK_SLOT_INFO), AT(CK_SLOT_INFO, flags), AT(CK_SLOT_INFO, firmwareVersion),
    SIZE(CK_TOKEN_INFO), AT(CK_TOKEN_INFO, flags), AT(CK_TOKEN_INFO, ulMaxPinLen), AT(CK_TOKEN_INFO, utcTime),
    SIZE(CK_MECHANISM_INFO), AT(CK_MECHANISM_INFO, flags),
    SIZE(CK_SESSION_INFO), AT(CK_SESSION_INFO, ulDeviceError),
    SIZE(CK_RSA_PKCS_PSS_PARAMS), AT(CK_RSA_PKCS_PSS_PARAMS, sLen),
    SIZE(CK_RSA_PKCS_OAEP_PARAMS), AT(CK_RSA_PKCS_OAEP_PARAMS, pSourceData), AT(CK_RSA_PKCS_OAEP_PARAMS, ulSourceDataLen),
    SIZE(CK_ECDH1_DERIVE_PARAMS), AT(CK_ECDH1_DERIVE_PARAMS, pSharedData), AT(CK_ECDH1_DERIVE_PARAMS, pPublicData),
    SIZE(CK_GCM_PARAMS), AT(CK_GCM_PARAMS, ulIvBits), AT(CK_GCM_PARAMS, pAAD), AT(CK_GCM_PARAMS, ulTagBits),
    SIZE(CK_CCM_PARAMS), AT(CK_CCM_PARAMS, pNonce), AT(CK_CCM_PARAMS, pAAD), AT(CK_CCM_PARAMS, ulMACLen),
    {NULL, NULL, 0},
};
