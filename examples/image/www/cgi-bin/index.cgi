#!/bin/sh
# Every page: which deployment answered, on which host, to what.
printf 'Content-Type: text/plain\r\n\r\n'
echo "${MARATHON_APP_ID#/} on $(hostname): $REQUEST_METHOD $REQUEST_URI for ${HTTP_HOST-}"
