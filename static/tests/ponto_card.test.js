import { Deferred, advanceTime, animationFrame, mockDate } from "@odoo/hoot-mock";
import {
    MockServer,
    contains,
    defineModels,
    fields,
    makeServerError,
    mockService,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { after, beforeEach, describe, expect, test } from "@odoo/hoot";
import { browser } from "@web/core/browser/browser";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { queryAllTexts } from "@odoo/hoot-dom";

describe.current.tags("desktop");
defineMailModels();

const CARD = ".o_ponto_card";
const FETCH = ".o_ponto_fetch";
const LOOK = 2500;

class AccountJournal extends models.Model {
    _name = "account.journal";

    name = fields.Char();
    kanban_dashboard = fields.Text();
}
defineModels([AccountJournal]);

/** What the server tells of a healthy feed, but for `values`. */
function feed(values = {}) {
    return {
        id: 7,
        link_id: 3,
        has_balance: true,
        bank_balance: "€ 970.00",
        balance_date: "03/08/2026",
        journal_balance: "€ 970.00",
        difference: "€ 0.00",
        is_bank_more: false,
        is_equal: true,
        reasons: [],
        note: "",
        bank_data_at: "2026-03-09 08:05:00",
        last_read: "2026-03-08 13:31:00",
        next_read: "2026-03-09 13:45:00",
        is_automatic: true,
        problems: [],
        is_withdrawn: false,
        stage: "done",
        booked: 0,
        to_book: 0,
        can_fetch: true,
        can_reconnect: true,
        ...values,
    };
}

function problem(code, severity, sentence, remedy, label) {
    return { account_id: 7, code, severity, sentence, remedy, label };
}

function reason(code, text, can_open) {
    return { account_id: 7, code, text, can_open };
}

function dashboard(card) {
    return JSON.stringify(card ? { ponto: card } : {});
}

/** Let the server tell something else from now on. */
function tell(card) {
    MockServer.env["account.journal"].write([1], { kanban_dashboard: dashboard(card) });
}

async function mountCard(card = feed()) {
    AccountJournal._records = [{ id: 1, name: "Kadebank", kanban_dashboard: dashboard(card) }];
    await mountView({
        resModel: "account.journal",
        type: "kanban",
        arch: `
            <kanban can_open="0">
                <field name="kanban_dashboard"/>
                <templates>
                    <t t-name="card">
                        <t t-value="JSON.parse(record.kanban_dashboard.raw_value)" t-set="dashboard"/>
                        <field name="name"/>
                        <widget t-if="dashboard.ponto and dashboard.ponto.can_fetch" name="ponto_fetch_button"/>
                        <widget t-if="dashboard.ponto" name="ponto_card"/>
                    </t>
                    <t t-name="menu">
                        <widget name="ponto_fetch_item"/>
                    </t>
                </templates>
            </kanban>`,
    });
}

/** Let the server answer the looks at the progress by these, one after the other. */
function progressIs(...answers) {
    onRpc("ponto.account", "fetch_progress", ({ args: [[id]] }) => {
        expect.step(`look at ${id}`);
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        return [{ id, booked: 0, to_book: 0, failed: false, message: "", ...answer }];
    });
}

function setVisibility(value) {
    Object.defineProperty(document, "visibilityState", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
    mockDate("2026-03-09 10:00:00", 0);
    onRpc("ponto.account", "action_fetch_transactions", ({ args: [[id]] }) => {
        expect.step(`fetch ${id}`);
        return { type: "ir.actions.client", params: { message: "not shown" } };
    });
    mockService("notification", {
        add: (message, { title, type }) => expect.step(`${type}: ${title}: ${message}`),
    });
    after(() => delete document.visibilityState);
});

describe("what it shows", () => {
    test("a healthy feed: equal balances, and how old they are", async () => {
        await mountCard();
        expect(".o_ponto_balance").toHaveText("Equal to the bank's balance of € 970.00 on 03/08/2026");
        expect(".o_ponto_balance .text-success").toHaveCount(1);
        expect(".o_ponto_moments").toHaveText(
            /^Bank data as of today 8:05.AM · last fetch yesterday 1:31.PM · next fetch today 1:45.PM$/
        );
        expect(`${FETCH}:enabled`).toHaveCount(1);
        for (const worry of ["difference", "progress", "problem", "problems button"]) {
            expect(`.o_ponto_${worry}`).toHaveCount(0);
        }
    });

    test("a difference in words, its most likely cause, and all of them on a click", async () => {
        await mountCard(
            feed({
                is_equal: false,
                is_bank_more: true,
                difference: "€ 12.00",
                journal_balance: "€ 958.00",
                reasons: [
                    reason("held", "Waiting under To Review: € 13.00", true),
                    reason("before", "Before the first transaction that Ponto has: € -1.00", false),
                ],
                note: "Several journals share it.",
            })
        );
        expect(".o_ponto_balance").toHaveText(/Bank on 03\/08\/2026\s*€ 970.00\s*Odoo on that day\s*€ 958.00/);
        expect(".o_ponto_difference").toHaveText(
            /The bank has € 12.00 more than Odoo\s*Waiting under To Review: € 13.00\s*All reasons\s*Several journals share it./
        );
        await contains(".o_ponto_all_reasons").click();
        expect(queryAllTexts(".o_popover .o_ponto_reasons li")).toEqual([
            "Waiting under To Review: € 13.00",
            "Before the first transaction that Ponto has: € -1.00",
        ]);
        expect(".o_popover .o_ponto_reasons button").toHaveCount(1);
    });

    test("a reason opens its records", async () => {
        onRpc("ponto.account", "action_open_reason", ({ args: [[id], code] }) => ({ name: `${code} of ${id}` }));
        mockService("action", { doAction: ({ name }) => expect.step(name) });
        await mountCard(feed({ is_equal: false, reasons: [reason("held", "Waiting: € 13.00", true)] }));
        await contains(".o_ponto_reason_held").click();
        expect.verifySteps(["held of 7"]);
    });

    test("what is pending is read when somebody asks for it, and shown with number and sum", async () => {
        onRpc("ponto.account", "get_pending_transactions", ({ args: [[id]] }) => {
            expect.step(`read ${id}`);
            return {
                summary: "2 pending transactions: € -77.77",
                rows: [
                    { date: "03/09/2026", label: "Bakery · Bread", amount: "€ -7.77" },
                    { date: "", label: "Rent", amount: "€ -70.00" },
                ],
            };
        });
        await mountCard();
        expect.verifySteps([]);
        expect(".o_ponto_pending").toHaveText("Show pending transactions");
        await contains(".o_ponto_pending").click();
        expect.verifySteps(["read 7"]);
        expect(".o_ponto_pending").toHaveText("2 pending transactions: € -77.77");
        expect(queryAllTexts(".o_popover .o_ponto_pending_rows td")).toEqual([
            "03/09/2026",
            "Bakery · Bread",
            "€ -7.77",
            "",
            "Rent",
            "€ -70.00",
        ]);
    });

    test("a bank that reports no balance, an account that was never read, one that is read by hand only", async () => {
        await mountCard(feed({ has_balance: false, bank_data_at: "", last_read: "", is_automatic: false }));
        expect(".o_ponto_balance").toHaveText("The bank does not report the balance of this account.");
        expect(".o_ponto_moments").toHaveText("not fetched yet · next fetch only by hand");
    });

    test("problems by their weight, and one button for each thing that helps", async () => {
        onRpc("ponto.account", "action_remedy", ({ args: [[id], remedy] }) => ({ name: `${remedy} of ${id}` }));
        mockService("action", { doAction: ({ name }) => expect.step(name) });
        await mountCard(
            feed({
                problems: [
                    problem("consent_ended", "danger", "The consent ended.", "reconnect", "Reconnect"),
                    problem("bank", "warning", "The bank did not answer.", "reconnect", "Reconnect"),
                    problem("held", "warning", "To review: 3.", "review", "Review"),
                ],
            })
        );
        expect(queryAllTexts(".o_ponto_problem")).toEqual([
            "The consent ended.",
            "The bank did not answer.",
            "To review: 3.",
        ]);
        expect(".o_ponto_problem_consent_ended.text-danger").toHaveCount(1);
        expect(".o_ponto_problem_bank.text-warning-emphasis").toHaveCount(1);
        expect(".o_ponto_reconnect.btn-primary").toHaveCount(1);
        expect(".o_ponto_review.btn-secondary").toHaveText("Review");
        await contains(".o_ponto_reconnect").click();
        await contains(".o_ponto_review").click();
        expect.verifySteps(["reconnect of 7", "review of 7"]);
    });

    test("a problem without a remedy, or one that the person may not use, has no button", async () => {
        await mountCard(feed({ problems: [problem("silent", "danger", "Nothing has come in.", "", "")] }));
        expect(".o_ponto_problem_silent.text-danger").toHaveText("Nothing has come in.");
        expect(".o_ponto_problems button").toHaveCount(0);
    });

    test("who may only look gets no button, and looks at no progress", async () => {
        progressIs({ stage: "done" });
        await mountCard(feed({ can_fetch: false, stage: "booking", booked: 200, to_book: 800 }));
        expect(FETCH).toHaveCount(0);
        expect(".o_ponto_progress").toHaveText("Booking: 200 of 800 transactions");
        await advanceTime(3 * LOOK);
        expect.verifySteps([]);
    });

    test("journals without a feed have no such card", async () => {
        await mountCard(null);
        expect(".o_kanban_record:contains(Kadebank)").toHaveCount(1);
        expect(CARD).toHaveCount(0);
    });
});

describe("a fetch", () => {
    test("goes on without blocking the page and ends with what came in", async () => {
        const answer = new Deferred();
        onRpc("ponto.account", "action_fetch_transactions", () => answer);
        progressIs(
            { stage: "asking" },
            { stage: "booking", booked: 200, to_book: 800 },
            { stage: "done", message: "New transactions: 800, booked: 800." }
        );
        await mountCard();
        await contains(FETCH).click();
        await animationFrame();
        expect(".o_ponto_progress").toHaveText("Reading transactions…");
        expect(".progress-bar-animated").toHaveCount(1);
        expect(`${FETCH}:disabled`).toHaveCount(1);
        expect(".o_blockUI").toHaveCount(0);
        answer.resolve({ type: "ir.actions.client" });
        await animationFrame();
        expect(".o_ponto_progress").toHaveText("Waiting for the bank's answer…");
        expect.verifySteps(["look at 7"]);
        await advanceTime(LOOK);
        await animationFrame();
        expect(".o_ponto_progress").toHaveText("Booking: 200 of 800 transactions");
        expect(".progress").toHaveAttribute("aria-valuenow", "25");
        expect(".progress-bar").toHaveStyle({ width: /\d+px/ });
        tell(feed({ bank_balance: "€ 1,770.00" }));
        await advanceTime(LOOK);
        await animationFrame();
        expect.verifySteps(["look at 7", "look at 7", "success: Kadebank: New transactions: 800, booked: 800."]);
        expect(".o_ponto_balance").toHaveText(/€ 1,770.00/);
        expect(".o_ponto_progress").toHaveCount(0);
        await advanceTime(3 * LOOK);
        expect.verifySteps([]);
    });

    test("can be begun in the menu of the card", async () => {
        progressIs({ stage: "done", message: "No new transactions." });
        await mountCard();
        await contains(".o_dropdown_kanban button", { visible: false }).click();
        await contains(".o_ponto_fetch_item").click();
        await animationFrame();
        expect.verifySteps(["fetch 7", "look at 7", "success: Kadebank: No new transactions."]);
    });

    test("that fails says so", async () => {
        progressIs({ stage: "done", failed: true, message: "Ponto cannot be reached." });
        await mountCard();
        await contains(FETCH).click();
        await animationFrame();
        expect.verifySteps(["fetch 7", "look at 7", "danger: Kadebank: Ponto cannot be reached."]);
    });

    test("that somebody has begun elsewhere is followed, and ends without a word", async () => {
        progressIs({ stage: "booking", booked: 400, to_book: 800 }, { stage: "done", message: "Not for me." });
        await mountCard(feed({ stage: "booking", booked: 200, to_book: 800 }));
        expect(".o_ponto_progress").toHaveText("Booking: 200 of 800 transactions");
        expect.verifySteps([]);
        await advanceTime(LOOK);
        await animationFrame();
        expect(".o_ponto_progress").toHaveText("Booking: 400 of 800 transactions");
        tell(feed());
        await advanceTime(LOOK);
        await animationFrame();
        expect.verifySteps(["look at 7", "look at 7"]);
        expect(".o_ponto_progress").toHaveCount(0);
    });

    test("survives a reload of the page, even while the server has nothing to show of it yet", async () => {
        browser.sessionStorage.setItem("account_online_ponto.fetch.7", Date.now());
        progressIs({ stage: "reading" }, { stage: "done", message: "New transactions: 2, booked: 2." });
        await mountCard();
        await animationFrame();
        expect(".o_ponto_progress").toHaveText("Reading transactions…");
        expect(`${FETCH}:disabled`).toHaveCount(1);
        await advanceTime(LOOK);
        await advanceTime(LOOK);
        await animationFrame();
        expect.verifySteps(["look at 7", "look at 7", "success: Kadebank: New transactions: 2, booked: 2."]);
        expect(browser.sessionStorage.getItem("account_online_ponto.fetch.7")).toBe(null);
    });

    test("is not looked at while nobody sees the page", async () => {
        progressIs({ stage: "asking" });
        await mountCard(feed({ stage: "asking" }));
        setVisibility("hidden");
        await advanceTime(5 * LOOK);
        expect.verifySteps([]);
        setVisibility("visible");
        await animationFrame();
        expect.verifySteps(["look at 7"]);
        await advanceTime(LOOK);
        expect.verifySteps(["look at 7"]);
    });

    test("whose progress cannot be had ends with the reason", async () => {
        onRpc("ponto.account", "fetch_progress", () => {
            expect.step("look");
            throw makeServerError({ message: "You may not." });
        });
        await mountCard(feed({ stage: "asking" }));
        await advanceTime(LOOK);
        await animationFrame();
        expect(".o_ponto_progress").toHaveCount(0);
        expect(".o_ponto_progress_error").toHaveText("You may not.");
        expect(`${FETCH}:enabled`).toHaveCount(1);
        await advanceTime(3 * LOOK);
        expect.verifySteps(["look"]);
    });

    test("that cannot begin leaves the card as it was", async () => {
        expect.errors(1);
        onRpc("ponto.account", "action_fetch_transactions", () => {
            throw makeServerError({ message: "No journal." });
        });
        await mountCard();
        await contains(FETCH).click();
        await animationFrame();
        expect.verifyErrors(["RPC_ERROR"]);
        expect(".o_ponto_progress").toHaveCount(0);
        expect(`${FETCH}:enabled`).toHaveCount(1);
    });
});
