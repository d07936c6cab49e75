"""Ponto's error answers: JSON:API bodies for resources, RFC 6749 bodies for the token endpoint.

The codes `resourceNotFound`, `invalidAccessToken`, `accountRecentlySynchronized`, `tooManyRequests`,
`authorizationInvalid` and those of OAuth are Ponto's. No list of the others is known: `invalidParameter`,
`missingAttribute`, `invalidAttribute`, `invalidBody`, `unknownCursor`, `unsupportedMediaType`, `forbidden` and
`internalServerError` are this simulator's, so a client must not decide on them.
"""


class ApiError(Exception):
    """An error that Ponto answers with a JSON:API body.

    `with_request_id` False leaves `meta` empty, as in some of Ponto's answers.
    """

    def __init__(self, status, code, detail, *, resource=None, attribute=None, pointer=None, with_request_id=True):
        super().__init__(f'{status} {code}: {detail}')
        self.status = status
        self.code = code
        self.detail = detail
        self.meta = {key: value for key, value in (('resource', resource), ('attribute', attribute)) if value}
        self.pointer = pointer
        self.with_request_id = with_request_id
        self.headers = {}

    def body(self, request_id):
        meta = {'requestId': request_id, **self.meta} if self.with_request_id else dict(self.meta)
        error = {'code': self.code, 'detail': self.detail, 'meta': meta}
        if self.pointer:
            error['source'] = {'pointer': self.pointer}
        return {'errors': [error]}


class OAuthError(Exception):
    """An error of the token endpoint."""

    def __init__(self, status, error, description):
        super().__init__(f'{status} {error}: {description}')
        self.status = status
        self.error = error
        self.description = description
        self.headers = {'WWW-Authenticate': 'Basic'} if status == 401 else {}

    def body(self, _request_id):
        return {'error': self.error, 'error_description': self.description}


class UnexpectedCall(Exception):
    """The client asked for what Ponto does not have: answered like `answer`, and kept in `Simulator.unexpected`."""

    def __init__(self, answer, reason):
        super().__init__(reason)
        self.answer = answer
        self.reason = reason


def not_found(resource=None):
    return ApiError(404, 'resourceNotFound', 'The requested resource was not found.', resource=resource)


def invalid_access_token():
    return ApiError(401, 'invalidAccessToken', 'Your access token is invalid.')


def invalid_parameter(detail):
    return ApiError(400, 'invalidParameter', detail)


def missing_attribute(attribute):
    return ApiError(
        400,
        'missingAttribute',
        f'The attribute {attribute} is required.',
        attribute=attribute,
        pointer=f'/data/attributes/{attribute}',
    )


def invalid_attribute(attribute, detail):
    return ApiError(400, 'invalidAttribute', detail, attribute=attribute, pointer=f'/data/attributes/{attribute}')


def recently_synchronized():
    detail = (
        'This type of synchronization was already created recently for the account. '
        'Try again later or on the Dashboard.'
    )
    return ApiError(400, 'accountRecentlySynchronized', detail, with_request_id=False)
