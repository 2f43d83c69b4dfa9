/* What cardtwin's PKCS#11 library has beside PKCS#11: an interface of cardtwin's own, not the vendor's.
 *
 * Include any header of PKCS#11 first; the types are that header's. The functions are exported by name, and are the
 * interface "Vendor cardtwin" of C_GetInterface (PKCS#11 3.0): its function list is a cardtwin_function_list.
 * They keep the rules of PKCS#11: two calls where a length is asked for, and the same return values. Texts are
 * UTF-8 with their length, and no zero is needed at the end. */
#ifndef CARDTWIN_H
#define CARDTWIN_H

#ifdef __cplusplus
extern "C" {
#endif

/* A name and its value. */
typedef struct cardtwin_value {
    CK_UTF8CHAR *pName;
    CK_ULONG ulNameLen;
    CK_BYTE *pValue;
    CK_ULONG ulValueLen;
} cardtwin_value;
typedef cardtwin_value *cardtwin_value_ptr;

/* Puts a card profile (the text of a .cpf file) on the card in a slot.
 *
 * pParameters are values of the profile's variables, pSecrets those that it calls SEC_PIN1, SEC_PUK and so on, by the
 * names PIN1, PIN2, PIN3, PUK, PUK1, PUK2, OP, MAN. pLabel is the token's label; NULL with length 0 leaves it to the
 * profile. */
CK_RV cardtwin_InitTokenPPA(CK_SLOT_ID slotID, CK_BYTE *pProfile, CK_ULONG ulProfileLen,
                            cardtwin_value_ptr pParameters, CK_ULONG ulParameterCount,
                            cardtwin_value_ptr pSecrets, CK_ULONG ulSecretCount,
                            CK_BYTE *pLabel, CK_ULONG ulLabelLen);

/* Reads a property of the token or its slot by name. NULL as pValue asks for the length. */
CK_RV cardtwin_GetProperty(CK_SLOT_ID slotID, CK_BYTE *pName, CK_ULONG ulNameLen,
                           CK_BYTE *pValue, CK_ULONG *pulValueLen);

/* Unblocks the slot's PIN with its PUK, and sets it anew. A wrong PUK costs one of its tries. */
CK_RV cardtwin_UnblockPIN(CK_SLOT_ID slotID, CK_UTF8CHAR *pPuk, CK_ULONG ulPukLen,
                          CK_UTF8CHAR *pNewPin, CK_ULONG ulNewPinLen);

/* Logs in with the operator PIN, whatever the profile takes for the security officer. */
CK_RV cardtwin_LoginOperator(CK_SESSION_HANDLE hSession, CK_UTF8CHAR *pPin, CK_ULONG ulPinLen);

typedef struct cardtwin_function_list {
    CK_VERSION version; /* 1.0 */
    CK_RV (*InitTokenPPA)(CK_SLOT_ID, CK_BYTE *, CK_ULONG, cardtwin_value_ptr, CK_ULONG, cardtwin_value_ptr, CK_ULONG,
                          CK_BYTE *, CK_ULONG);
    CK_RV (*GetProperty)(CK_SLOT_ID, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *);
    CK_RV (*UnblockPIN)(CK_SLOT_ID, CK_UTF8CHAR *, CK_ULONG, CK_UTF8CHAR *, CK_ULONG);
    CK_RV (*LoginOperator)(CK_SESSION_HANDLE, CK_UTF8CHAR *, CK_ULONG);
} cardtwin_function_list;

#ifdef __cplusplus
}
#endif

#endif
