"""A receiver of webhooks, with the scheme's own library."""

import standardwebhooks

from harness import http_receiver


class Delivery(http_receiver.Delivery):
    """One receipt, and what it was answered."""

    @property
    def id(self):
        """The same over all attempts."""
        return self.headers["webhook-id"]

    def verified(self, secret):
        """The receipt, once the library has checked the signature."""
        return standardwebhooks.Webhook(secret).verify(self.body, self.headers)


class WebhookReceiver(http_receiver.HttpReceiver):
    """Takes receipts."""

    delivery_type = Delivery
