import { ConnectionAbortedError, ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { onWillDestroy, useExternalListener, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { browser } from "@web/core/browser/browser";
import { useService } from "@web/core/utils/hooks";

/** Milliseconds between two looks. */
const PAUSE = 2500;
/** Milliseconds after which nobody waits for a fetch any longer. */
const REMEMBERED = 15 * 60 * 1000;

/** What this tab has begun and not seen the end of; it outlives a reload of the page. */
const begun = {
    key: (accountId) => `account_online_ponto.fetch.${accountId}`,
    note: (accountId) => browser.sessionStorage.setItem(begun.key(accountId), Date.now()),
    forget: (accountId) => browser.sessionStorage.removeItem(begun.key(accountId)),
    has: (accountId) => Date.now() - Number(browser.sessionStorage.getItem(begun.key(accountId))) < REMEMBERED,
};

function sentence(error) {
    if (error instanceof RPCError) {
        return error.data?.message || error.message;
    }
    if (error instanceof ConnectionLostError || error instanceof ConnectionAbortedError) {
        return _t("Odoo cannot be reached. The fetch goes on by itself.");
    }
    throw error;
}

/**
 * Follows the fetch of one online account while it goes on: each look makes the server take its next step. It looks
 * only while the page is visible, and not after the component is gone.
 *
 * @param {(progress: { message: string, failed: boolean }, isOwn: boolean) => void} onEnd called at the end of a fetch;
 *  `isOwn` tells whether it was begun in this tab
 * @returns {{ state: { stage: string, booked: number, toBook: number, error: string }, begin: Function, follow: Function }}
 */
export function useFetchProgress(onEnd) {
    const orm = useService("orm");
    const state = useState({ stage: "done", booked: 0, toBook: 0, error: "" });
    let accountId = false;
    let timer = false;
    let isBusy = false;

    function show({ stage, booked, to_book }) {
        Object.assign(state, { stage, booked, toBook: to_book });
    }

    function end(progress) {
        const isOwn = begun.has(accountId);
        begun.forget(accountId);
        show(progress);
        onEnd(progress, isOwn);
    }

    async function look(later) {
        timer = false;
        if (document.visibilityState === "hidden") {
            // Until the page is visible again.
            return;
        }
        isBusy = true;
        let progress = null;
        try {
            [progress] = await orm.silent.call("ponto.account", "fetch_progress", [[accountId]]);
        } catch (error) {
            begun.forget(accountId);
            state.stage = "done";
            state.error = sentence(error);
            return;
        } finally {
            isBusy = false;
        }
        if (progress.stage === "done") {
            end(progress);
        } else {
            show(progress);
            later();
        }
    }

    function lookLater() {
        browser.clearTimeout(timer);
        timer = browser.setTimeout(() => look(lookLater), PAUSE);
    }

    /** Begin a fetch by `start()`, a promise, and follow it. */
    async function begin(start) {
        Object.assign(state, { stage: "reading", booked: 0, toBook: 0, error: "" });
        begun.note(accountId);
        isBusy = true;
        try {
            await start();
        } catch (error) {
            begun.forget(accountId);
            state.stage = "done";
            throw error;
        } finally {
            isBusy = false;
        }
        await look(lookLater);
    }

    /** Show how far the account's fetch is, and follow it to its end if it goes on and the person may fetch. */
    function follow(card) {
        accountId = card.id;
        if (isBusy || timer) {
            return;
        }
        show(card);
        if (card.can_fetch && begun.has(accountId) && card.stage === "done") {
            // Perhaps: a request of before the reload may still be at work.
            state.stage = "reading";
        }
        if (card.can_fetch && state.stage !== "done") {
            lookLater();
        }
    }

    useExternalListener(document, "visibilitychange", () => {
        if (document.visibilityState === "visible" && accountId && state.stage !== "done" && !isBusy && !timer) {
            look(lookLater);
        }
    });
    onWillDestroy(() => browser.clearTimeout(timer));

    return { state, begin, follow };
}
