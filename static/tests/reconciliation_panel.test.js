import { animationFrame, runAllTimers } from "@odoo/hoot-mock";
import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { contains, defineModels, fields, mockService, models, mountView, onRpc } from "@web/../tests/web_test_helpers";
import { press, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";

describe.current.tags("desktop");
defineMailModels();

const LINE = "account.bank.statement.line";
const SEARCH = ".o_ponto_search";
const REST = ".o_ponto_rest";

class AccountBankStatementLine extends models.Model {
    _name = LINE;

    payment_ref = fields.Char();
    company_id = fields.Many2one({ relation: "res.company" });
    is_reconciled = fields.Boolean();
    _records = [1, 2].map((id) => ({ id, payment_ref: `Payment ${id}`, company_id: 1, is_reconciled: false }));
}

class AccountAccount extends models.Model {
    _name = "account.account";

    name = fields.Char();
    account_type = fields.Char();
    company_ids = fields.Many2many({ relation: "res.company" });
    _records = [{ id: 8, name: "Charges", account_type: "expense", company_ids: [1] }];
}

class AccountTax extends models.Model {
    _name = "account.tax";

    name = fields.Char();
    company_id = fields.Many2one({ relation: "res.company" });
}
defineModels([AccountBankStatementLine, AccountAccount, AccountTax]);

/** What the server tells of an open line of 100, but for `values`. */
function panel(values = {}) {
    return {
        is_reconciled: false,
        may_match: true,
        currency_id: 1,
        left: 100,
        reason: "",
        who: "",
        documents: [],
        proposals: [],
        accounts: [],
        fee_account_id: false,
        ...values,
    };
}

function item(id, residual, values = {}) {
    return {
        id,
        move_id: id,
        document: `INV/${id}`,
        partner: "Smit",
        label: "",
        date: "2026-03-01",
        due: "2026-03-31",
        residual,
        currency_id: 1,
        ...values,
    };
}

function proposal(values = {}) {
    return {
        grade: "sure",
        kind: "document_number",
        reason: "The text names INV/5.",
        counterparts: [{ item_id: 5 }],
        facts: {},
        ...values,
    };
}

async function mountPanel({ panels = {}, items = [], resIds = [1] } = {}) {
    onRpc(LINE, "get_reconciliation_panel", ({ args: [[id]] }) => panels[id] || panel());
    onRpc(LINE, "search_open_items", ({ args: [, text] }) =>
        items.filter((each) => !text || each.document.includes(text))
    );
    onRpc(LINE, "find_next_to_reconcile", ({ args: [[id], ids] }) => ids.find((other) => other !== id) || false);
    onRpc(LINE, "reconcile_with", ({ args: [[id], counterparts, kind] }) => {
        expect.step(`${kind} of ${id}: ${JSON.stringify(counterparts)}`);
        panels[id] = panel({ is_reconciled: true, left: 0 });
        return true;
    });
    await mountView({
        resModel: LINE,
        type: "form",
        resId: 1,
        resIds,
        arch: `
            <form>
                <field name="payment_ref"/>
                <field name="company_id" invisible="1"/>
                <widget name="ponto_reconciliation_panel"/>
            </form>`,
    });
    await animationFrame();
}

/** Type into the search field and wait until the search is over. */
async function search(text) {
    await contains(SEARCH).edit(text, { confirm: false });
    await runAllTimers();
    await animationFrame();
}

async function pressKey(key) {
    await press(key);
    await animationFrame();
    await animationFrame();
}

beforeEach(() => {
    mockService("notification", { add: (message) => expect.step(`${message}`) });
});

describe("what it shows", () => {
    test("proposals, open items, and what is left", async () => {
        await mountPanel({ panels: { 1: panel({ proposals: [proposal()] }) }, items: [item(5, 121), item(6, 33)] });
        expect(".o_ponto_proposals").toHaveText(/Sure\s*The text names INV\/5.\s*Reconcile/);
        expect(".o_ponto_item").toHaveCount(2);
        expect(REST).toHaveText(/Left: .*100.00/);
        expect(`${REST}[role=status]`).toHaveCount(1);
        expect(SEARCH).toBeFocused();
        expect(".o_ponto_reconcile").not.toBeEnabled();
    });

    test("with what, why and by whom it is reconciled, and its documents open", async () => {
        mockService("action", { doAction: ({ res_model, res_id }) => expect.step(`${res_model} ${res_id}`) });
        const documents = [{ model: "account.move", id: 5, name: "INV/5", amount: 100, currency_id: 1 }];
        const done = panel({ is_reconciled: true, documents, reason: "The text names it.", who: "Matched by Ann" });
        await mountPanel({ panels: { 1: done } });
        expect(".o_ponto_done").toHaveText(/INV\/5\s*.*100.00\s*The text names it.\s*Matched by Ann/);
        await contains(".o_ponto_done .btn-link").click();
        expect.verifySteps(["account.move 5"]);
    });

    test("nothing to click for whoever may only look", async () => {
        await mountPanel({ panels: { 1: panel({ may_match: false, proposals: [proposal()] }) }, items: [item(5, 1)] });
        expect(".o_ponto_panel button, .o_ponto_panel input").toHaveCount(0);
    });
});

describe("choosing", () => {
    test("an item takes no more than the transaction has, and the next one the rest", async () => {
        await mountPanel({ items: [item(5, 70), item(6, 121)] });
        await contains(".o_ponto_item:eq(0)").click();
        expect(REST).toHaveText(/30.00/);
        await contains(".o_ponto_item:eq(1)").click();
        expect(REST).toHaveText("Nothing is left");
        expect(".o_ponto_item[aria-selected=true]").toHaveCount(2);
        await contains(".o_ponto_reconcile").click();
        await animationFrame();
        expect.verifySteps(['by_hand of 1: [{"item_id":5,"amount":70},{"item_id":6,"amount":30}]']);
    });

    test("an amount is edited; its sign is that of the item; nonsense changes nothing", async () => {
        await mountPanel({ panels: { 1: panel({ left: -100 }) }, items: [item(5, -80)] });
        await contains(".o_ponto_item").click();
        await contains(".o_ponto_part").edit("30.5", { confirm: "blur" });
        expect(REST).toHaveText(/-.*69.50/);
        await contains(".o_ponto_part").edit("many", { confirm: "blur" });
        expect.verifySteps(["This is not an amount."]);
        expect(queryOne(".o_ponto_part").value).toMatch(/30.50/);
        await contains(".o_ponto_reconcile:contains(leave the rest open)").click();
        await animationFrame();
        expect.verifySteps(['by_hand of 1: [{"item_id":5,"amount":-30.5}]']);
    });

    test("of an item in another currency only the transaction's amount is told", async () => {
        await mountPanel({ items: [item(5, 121, { currency_id: 2 })] });
        await contains(".o_ponto_item").click();
        await contains(".o_ponto_reconcile").click();
        await animationFrame();
        expect.verifySteps(['by_hand of 1: [{"item_id":5,"line_amount":100}]']);
    });

    test("the account used last brings its taxes, and a fee takes the rest", async () => {
        const accounts = [{ account_id: 8, name: "Charges", tax_ids: [], count: 3 }];
        await mountPanel({ panels: { 1: panel({ accounts, fee_account_id: 8 }) }, items: [item(5, 97)] });
        expect(".o_ponto_used").toHaveText("Charges");
        expect(".o_ponto_fee").toHaveCount(0);
        await contains(".o_ponto_item").click();
        await contains(".o_ponto_fee").click();
        expect(REST).toHaveText("Nothing is left");
        await contains(".o_ponto_reconcile").click();
        await animationFrame();
        expect.verifySteps([
            'by_hand of 1: [{"item_id":5,"amount":97},{"account_id":8,"line_amount":3,"tax_ids":[],"label":false,' +
                '"analytic_distribution":false}]',
        ]);
        expect(".o_ponto_rule").toHaveText(/Always for this counterpart/);
    });

    test("an account without a name cannot be reconciled; reset forgets all", async () => {
        await mountPanel();
        await contains(".o_ponto_book").click();
        expect(".o_ponto_account input").toBeFocused();
        expect(".o_ponto_reconcile").not.toBeEnabled();
        await contains(".o_ponto_reset").click();
        expect(REST).toHaveText(/100.00/);
        expect(SEARCH).toBeFocused();
    });
});

describe("the keyboard", () => {
    test("enter takes the first proposal, and the next transaction comes with the focus", async () => {
        await mountPanel({ panels: { 1: panel({ proposals: [proposal()] }), 2: panel({ left: 7 }) }, resIds: [1, 2] });
        await pressKey("Enter");
        await animationFrame();
        expect.verifySteps(['document_number of 1: [{"item_id":5}]']);
        expect("[name=payment_ref] input").toHaveValue("Payment 2");
        expect(".o_ponto_last").toHaveText("Reconciled: Payment 1");
        expect(REST).toHaveText(/7.00/);
        expect(SEARCH).toBeFocused();
    });

    test("enter takes nothing where several documents fit", async () => {
        await mountPanel({ panels: { 1: panel({ proposals: [proposal({ facts: { is_ambiguous: true } })] }) } });
        await pressKey("Enter");
        expect.verifySteps(["More than one document fits. Choose the right one."]);
    });

    test("enter takes what was searched for, also before the answer has come, and then reconciles", async () => {
        await mountPanel({ items: [item(5, 30), item(6, 100)] });
        await contains(SEARCH).edit("INV/6", { confirm: false });
        await pressKey("Enter");
        expect(queryAllTexts(".o_ponto_chosen b")).toEqual(["INV/6"]);
        await pressKey("Enter");
        expect.verifySteps(['by_hand of 1: [{"item_id":6,"amount":100}]']);
    });

    test("the arrows move through the items, enter chooses them, escape forgets", async () => {
        await mountPanel({ items: [item(5, 30), item(6, 70)] });
        await pressKey("ArrowDown");
        await pressKey("ArrowDown");
        expect(SEARCH).toHaveAttribute("aria-activedescendant", "ponto_open_item_6");
        expect(".o_ponto_reached").toHaveText(/INV\/6/);
        await pressKey("Enter");
        expect(SEARCH).not.toHaveAttribute("aria-activedescendant");
        expect("#ponto_open_item_6").toHaveAttribute("aria-selected", "true");
        await search("INV/5");
        expect(".o_ponto_item").toHaveCount(1);
        await pressKey("Escape");
        expect(".o_ponto_chosen b").toHaveCount(0);
        expect(".o_ponto_item").toHaveCount(2);
        expect(SEARCH).toHaveValue("");
    });
});
