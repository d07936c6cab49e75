import { Deferred, advanceTime, animationFrame, runAllTimers } from "@odoo/hoot-mock";
import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { contains, makeServerError, mockService, mountWithCleanup, onRpc } from "@web/../tests/web_test_helpers";
import { press, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { InstitutionSelector } from "@account_online_ponto/components/institution_selector/institution_selector";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";

describe.current.tags("desktop");
defineMailModels();

const SEARCH_BOX = ".o_ponto_search input";
const CARD = ".o_ponto_institution_card";
const INITIAL = ".o_ponto_institution_logo > span";
const NAMES = `${CARD} .fw-bold.text-break`;

let lastId = 0;
function institution(name, values = {}) {
    return {
        id: ++lastId,
        name,
        country: "Belgium",
        bic: "",
        status: "stable",
        status_name: "Stable",
        maintenance: "",
        logo: "",
        color: "",
        ...values,
    };
}

/** Answer each search with what `find(text, offset)` returns: institutions, or a whole page. */
function answerWith(find) {
    onRpc("ponto.institution", "search_catalogue", async ({ args: [text], kwargs }) => {
        const found = await find(text, kwargs.offset);
        return Array.isArray(found) ? { institutions: found, has_more: false, is_empty: false } : found;
    });
}

async function mountSelector() {
    await mountWithCleanup(InstitutionSelector, { props: { action: {} } });
}

async function type(text) {
    await contains(SEARCH_BOX).edit(text, { confirm: false });
    await runAllTimers();
    await animationFrame();
}

beforeEach(() => {
    mockService("action", {
        doAction: (action) => expect.step(`do ${action.name}`),
    });
    onRpc("ponto.connect", "action_add_bank_account", ({ kwargs }) => ({
        name: `wizard of ${kwargs.institution_id}`,
    }));
    onRpc("res.company", "setting_init_bank_account_action", () => ({ name: "manual set-up" }));
});

test("cards say what there is to know of each institution", async () => {
    answerWith(() => [
        institution("Kadebank", { bic: "KADEBEBB", color: "#ffee00", status_name: "Stable" }),
        institution("Amstelbank", { country: "Netherlands", status: "beta", status_name: "Beta" }),
        institution("Zennebank", { maintenance: "Under maintenance until Tuesday", color: "#003300" }),
        institution("Logobank", { logo: "/web/image/ponto.institution/4/logo?unique=1" }),
    ]);
    await mountSelector();
    expect(SEARCH_BOX).toBeFocused();
    expect(`${CARD}:eq(0)`).toHaveText(/^K\s*Kadebank\s*Belgium · KADEBEBB\s*Ponto$/);
    expect(`${CARD}:eq(1)`).toHaveText(/Amstelbank\s*Netherlands\s*Ponto\s*Beta$/);
    expect(`${CARD}:eq(2)`).toHaveText(/Under maintenance until Tuesday$/);
    expect(`${CARD}:eq(0) ${INITIAL}`).toHaveStyle({ color: "rgb(0, 0, 0)" });
    expect(`${CARD}:eq(2) ${INITIAL}`).toHaveStyle({ color: "rgb(255, 255, 255)" });
    expect(`${CARD}:eq(3) img`).toHaveAttribute("data-src", "/web/image/ponto.institution/4/logo?unique=1");
});

test("an initial takes the place of a logo that cannot be shown", async () => {
    answerWith(() => [institution("Kadebank", { logo: "/web/image/ponto.institution/1/logo?unique=1" })]);
    await mountSelector();
    queryOne(`${CARD} img`).dispatchEvent(new Event("error"));
    await animationFrame();
    expect(`${CARD} img`).toHaveCount(0);
    expect(`${CARD} .o_ponto_institution_logo`).toHaveText("K");
});

test("similar names are shown as similar ones", async () => {
    answerWith((text) => ({
        institutions: [institution("Kadebank")],
        has_more: false,
        is_empty: false,
        is_guess: text === "kadebamk",
    }));
    await mountSelector();
    expect(".o_ponto_guess").toHaveCount(0);
    await type("kadebamk");
    expect(".o_ponto_guess").toHaveText("No bank has exactly this name. These are similar:");
    expect(CARD).toHaveCount(1);
});

test("typing filters, once for each pause", async () => {
    answerWith((text) => {
        expect.step(`search ${text}`);
        return ["Kadebank", "Amstelbank"]
            .filter((name) => name.toLowerCase().includes(text))
            .map((name) => institution(name));
    });
    await mountSelector();
    expect.verifySteps(["search "]);
    await contains(SEARCH_BOX).edit("a", { confirm: false });
    await contains(SEARCH_BOX).edit("amstel", { confirm: false });
    await advanceTime(300);
    await animationFrame();
    expect.verifySteps(["search amstel"]);
    expect(queryAllTexts(NAMES)).toEqual(["Amstelbank"]);
});

test("an answer that comes after that to a later text is dropped", async () => {
    const answers = { first: new Deferred(), second: new Deferred() };
    answerWith((text) => answers[text] || [institution("Kadebank")]);
    await mountSelector();
    await type("first");
    await type("second");
    answers.second.resolve([institution("Second")]);
    await animationFrame();
    answers.first.resolve([institution("First")]);
    await animationFrame();
    expect(queryAllTexts(NAMES)).toEqual(["Second"]);
});

test("the rest of the list comes on request", async () => {
    answerWith((text, offset) => ({
        institutions: [institution(`Bank ${offset + 1}`), institution(`Bank ${offset + 2}`)],
        has_more: offset < 2,
        is_empty: false,
    }));
    await mountSelector();
    expect("[role=status]").toHaveText("Banks found: more than 2");
    await contains(".o_ponto_show_more").click();
    expect(queryAllTexts(NAMES)).toEqual(["Bank 1", "Bank 2", "Bank 3", "Bank 4"]);
    expect(".o_ponto_show_more").toHaveCount(0);
    expect("[role=status]").toHaveText("Banks found: 4");
});

test("picking goes on to the wizard", async () => {
    answerWith(() => [institution("Kadebank", { id: 7 })]);
    await mountSelector();
    await contains(CARD).click();
    expect.verifySteps(["do wizard of 7"]);
});

for (const status of ["beta", "experimental"]) {
    test(`picking a bank that is ${status} says first who supports it`, async () => {
        answerWith(() => [institution("Kadebank", { id: 7, status, status_name: status })]);
        await mountSelector();
        await contains(CARD).click();
        expect(".modal").toHaveText(/contact Ponto/);
        await contains(".modal .btn:contains(Back)").click();
        expect(".modal").toHaveCount(0);
        expect.verifySteps([]);
        await contains(CARD).click();
        await contains(".modal .btn-primary").click();
        expect.verifySteps(["do wizard of 7"]);
    });
}

test("nothing is picked twice", async () => {
    const answer = new Deferred();
    answerWith(() => [institution("Kadebank"), institution("Amstelbank")]);
    onRpc("ponto.connect", "action_add_bank_account", async () => {
        expect.step("asked");
        await answer;
        return { name: "wizard" };
    });
    await mountSelector();
    await contains(CARD).click();
    expect(`${CARD}:disabled`).toHaveCount(2);
    expect(`${CARD} .fa-spin`).toHaveCount(1);
    answer.resolve();
    await animationFrame();
    expect(`${CARD}:disabled`).toHaveCount(0);
    expect.verifySteps(["asked", "do wizard"]);
});

test("keys lead from the search box to the cards and back", async () => {
    answerWith(() => [institution("Kadebank", { id: 7 }), institution("Amstelbank", { id: 8 })]);
    await mountSelector();
    await press("ArrowDown");
    await animationFrame();
    expect(`${CARD}:eq(0)`).toBeFocused();
    await press("ArrowRight");
    expect(`${CARD}:eq(1)`).toBeFocused();
    await press("ArrowRight");
    expect(`${CARD}:eq(1)`).toBeFocused();
    await press("ArrowLeft");
    await press("ArrowUp");
    expect(SEARCH_BOX).toBeFocused();
    await press("Enter");
    await animationFrame();
    expect(`${CARD}:eq(0)`).toBeFocused();
    await press("Enter");
    await animationFrame();
    expect.verifySteps(["do wizard of 7"]);
});

test("Enter right after typing leads to what was typed", async () => {
    answerWith((text) => (text ? [institution("Amstelbank")] : [institution("Kadebank")]));
    await mountSelector();
    await contains(SEARCH_BOX).edit("amstel", { confirm: false });
    await press("Enter");
    await animationFrame();
    expect(`${CARD}:contains(Amstelbank)`).toBeFocused();
});

test("without a hit the window says so and offers the set-up by hand", async () => {
    answerWith(() => []);
    await mountSelector();
    expect(".o_ponto_no_hit").toHaveText(/No bank found/);
    await contains(".o_ponto_no_hit .o_ponto_not_listed").click();
    expect.verifySteps(["do manual set-up"]);
});

test("the set-up by hand is offered at the end of the list", async () => {
    answerWith(() => [institution("Kadebank")]);
    await mountSelector();
    await contains(".o_ponto_not_listed").click();
    expect.verifySteps(["do manual set-up"]);
});

test("an empty catalogue can be loaded, and a failure is told", async () => {
    let works = false;
    answerWith(() => ({
        institutions: works ? [institution("Kadebank")] : [],
        has_more: false,
        is_empty: !works,
    }));
    onRpc("ponto.institution", "action_refresh_catalogue", () => {
        if (!works) {
            throw makeServerError({ message: "Ponto cannot be reached." });
        }
        return true;
    });
    await mountSelector();
    expect(".o_ponto_no_catalogue").toHaveText(/has not been loaded yet/);
    await contains(".o_ponto_no_catalogue .o_ponto_refresh").click();
    await animationFrame();
    expect("[role=alert]").toHaveText("Ponto cannot be reached.");
    works = true;
    await contains(".o_ponto_no_catalogue .o_ponto_refresh").click();
    await animationFrame();
    expect("[role=alert]").toHaveCount(0);
    expect(queryAllTexts(NAMES)).toEqual(["Kadebank"]);
});

test("the list can be refreshed", async () => {
    const names = ["Kadebank"];
    answerWith(() => names.map((name) => institution(name)));
    onRpc("ponto.institution", "action_refresh_catalogue", () => {
        names.push("Amstelbank");
        return true;
    });
    await mountSelector();
    await contains(".o_ponto_refresh").click();
    await animationFrame();
    expect(queryAllTexts(NAMES)).toEqual(["Kadebank", "Amstelbank"]);
});
